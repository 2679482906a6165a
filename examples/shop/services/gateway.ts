// What the browser talks to.
import { callJson, serveJson } from './json-server.ts';

const { ORDERS_URL, INVENTORY_URL } = process.env;

serveJson({
  'GET /products/*': (_, [id]) => callJson(`${INVENTORY_URL}/stock/${id}`),
  'POST /checkout': (order) => callJson(`${ORDERS_URL}/orders`, order),
});
