// Knows what is in stock. The globe is on a shelf that takes long to look through.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { HttpError, serveJson } from './json-server.ts';

const database = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 2 });

serveJson({
  'GET /stock/*': async (_, [product]) => {
    const { rows } = await database.query('SELECT name, price, stock FROM products WHERE id = $1', [product]);
    if (rows.length === 0) throw new HttpError(404, `no product ${product}`);
    return rows[0];
  },
  'POST /stock/*/reservations': async ({ quantity }, [product]) => {
    if (product === 'globe') await sleep(2_000);
    const { rows } = await database.query(
      'UPDATE products SET stock = stock - $2 WHERE id = $1 AND stock >= $2 RETURNING price',
      [product, quantity],
    );
    if (rows.length === 0) throw new HttpError(409, `not enough of ${product}`);
    return rows[0];
  },
});
