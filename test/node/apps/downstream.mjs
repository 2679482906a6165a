// Prints the trace context that a server gets from fetch.
import { createServer } from 'node:http';

const server = createServer((request, response) => response.end(String(request.headers.traceparent)));
server.listen(0, '127.0.0.1', async () => {
  console.log(await (await fetch(`http://127.0.0.1:${server.address().port}/`)).text());
  server.close();
});
