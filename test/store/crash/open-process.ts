/**
 * Opens the log of a directory, prints the name of its writer, and holds it until standard input ends.
 *
 *   node open-process.ts DIRECTORY
 */
import { writeSync } from 'node:fs';
import { openAt } from '../frame-list.ts';

const { log } = await openAt(process.argv[2]!);
writeSync(1, `${log.writer}\n`);
process.stdin.on('end', () => void log.close());
process.stdin.resume();
