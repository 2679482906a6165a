// A PostgreSQL that comes as an npm package, behind a socket: real clients with real instrumentation talk to it.
import type { AddressInfo } from 'node:net';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const db = await PGlite.create();
await db.exec(`
  CREATE TABLE products (id text PRIMARY KEY, name text NOT NULL, price integer NOT NULL, stock integer NOT NULL);
  CREATE TABLE orders (id serial PRIMARY KEY, product text NOT NULL, quantity integer NOT NULL, total integer NOT NULL);
  INSERT INTO products VALUES
    ('lamp', 'Desk lamp', 39, 100000), ('chair', 'Oak chair', 120, 100000),
    ('clock', 'Wall clock', 55, 100000), ('globe', 'Antique globe', 890, 100000);
`);
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0, maxConnections: 20 });
server.addEventListener('listening', (event) => {
  const { port } = (event as CustomEvent<AddressInfo>).detail;
  process.send?.({ url: `postgres://postgres@127.0.0.1:${port}/postgres` });
});
await server.start();
process.once('SIGTERM', async () => {
  await server.stop();
  await db.close();
  process.exit(0);
});
