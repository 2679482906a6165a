// Express, with a route that has a parameter.
const { once } = require('node:events');
const express = require('express');

const app = express();
app.get('/users/:id', (request, response) => response.json({ id: request.params.id }));
const server = app.listen(0, '127.0.0.1');
once(server, 'listening').then(async () => {
  console.log(await (await fetch(`http://127.0.0.1:${server.address().port}/users/42?token=1`)).text());
  server.close();
});
