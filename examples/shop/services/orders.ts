// Takes an order: reserve the stock, take the money, write it down.
import pg from 'pg';
import { callJson, serveJson } from './json-server.ts';
import { log } from './log.ts';

const { INVENTORY_URL, PAYMENTS_URL, DATABASE_URL } = process.env;
const database = new pg.Pool({ connectionString: DATABASE_URL, max: 2 });

serveJson({
  'POST /orders': async ({ product, quantity, card }) => {
    const { price } = await callJson(`${INVENTORY_URL}/stock/${product}/reservations`, { quantity });
    const total = Number(price) * Number(quantity);
    try {
      await callJson(`${PAYMENTS_URL}/payments`, { card, total });
    } catch (error) {
      await log('WARN', `payment failed, putting ${quantity} of ${product} back`);
      await callJson(`${INVENTORY_URL}/stock/${product}/reservations`, { quantity: -Number(quantity) });
      throw error;
    }
    const { rows } = await database.query(
      'INSERT INTO orders (product, quantity, total) VALUES ($1, $2, $3) RETURNING id',
      [product, quantity, total],
    );
    return { order: rows[0].id, total };
  },
});
