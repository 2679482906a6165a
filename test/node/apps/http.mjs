// A server, asked once with http and once with fetch.
import { createServer, get } from 'node:http';

const server = createServer((_request, response) => response.end('hello'));
server.listen(0, '127.0.0.1', async () => {
  const url = `http://127.0.0.1:${server.address().port}`;
  await new Promise((resolve) => get(`${url}/by-http`, (response) => response.resume().on('end', resolve)));
  console.log(await (await fetch(`${url}/by-fetch`)).text());
  server.close();
});
