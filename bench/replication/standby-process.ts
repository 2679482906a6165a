// A standby in a process of its own: opens a directory and prints the port at which it listens.
import { openStore, serveWal } from '@tracewell/store';

const standby = await openStore(process.argv[2]!, { standby: true });
const { port } = await serveWal(standby);
console.log(port);
