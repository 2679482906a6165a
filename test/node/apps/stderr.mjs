// Takes its time and prints that it is done: node stderr.mjs [own], with a line of its own on standard error before
import { setTimeout as delay } from 'node:timers/promises';

await delay(50);
if (process.argv[2] === 'own') process.stderr.write('a line of the application\n');
await delay(50);
console.log('done');
