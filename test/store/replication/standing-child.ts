// A standby that listens, at the given port or a free one, and prints which.
import { openStore, serveWal } from '@tracewell/store';

const [directory, port] = process.argv.slice(2) as [string, string];
const standby = await openStore(directory, { standby: true });
console.log((await serveWal(standby, { port: Number(port) })).port);
