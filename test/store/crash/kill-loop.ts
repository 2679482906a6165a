/**
 * Kills processes with SIGKILL while they store, opens what they leave behind, and checks that everything
 * that was acknowledged is there, in a loop.
 *
 *   node --conditions=@tracewell/source test/store/crash/kill-loop.ts --rounds 2000 --through store --seed 7
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { LogOptions } from '../../../packages/store/src/log/types.ts';
import { seededRandom } from '../fault-disk.ts';
import { openTarget, type Target, type Through } from './workload.ts';
import type { WriterTask } from './writer-process.ts';

/** What {@link killLoop} does. */
export interface KillLoopOptions {
  readonly rounds: number;
  readonly through: Through;
  readonly seed: number;
  /** Called after each round. */
  readonly report?: (round: number, acknowledged: number) => void;
}

/** Rounds after which a new directory is begun, so that checking stays quick. */
const ROUNDS_A_DIRECTORY = 40;

/**
 * Runs the rounds.
 *
 * @returns how many inserts were acknowledged, all of which were found
 * @throws when one is not found, naming the round and the directory, which is then left for a look
 */
export async function killLoop({ rounds, through, seed, report }: KillLoopOptions): Promise<number> {
  const random = seededRandom(seed);
  let total = 0;
  for (let first = 0; first < rounds; first += ROUNDS_A_DIRECTORY) {
    const directory = mkdtempSync(join(tmpdir(), 'tracewell-kill-'));
    const acknowledged: string[] = [];
    for (let round = first; round < Math.min(first + ROUNDS_A_DIRECTORY, rounds); round++) {
      try {
        await killRound(through, directory, round, random, acknowledged);
        // Three writers and two threads at a time, and so many logs, however many of them have died.
        const logs = readdirSync(join(directory, 'log')).length;
        if (logs > 5) throw new Error(`${logs} logs: the dead ones are not taken over`);
      } catch (cause) {
        throw new Error(`round ${round} of seed ${seed} in ${directory}: ${(cause as Error).message}`, {
          cause,
        });
      }
      report?.(round + 1, total + acknowledged.length);
    }
    total += acknowledged.length;
    rmSync(directory, { recursive: true });
  }
  return total;
}

async function killRound(
  through: Through,
  directory: string,
  round: number,
  random: () => number,
  acknowledged: string[],
): Promise<void> {
  const durability = (['commit', 'commit', 'interval', 'none'] as const)[Math.floor(random() * 4)]!;
  const options: LogOptions = {
    durability,
    segmentBytes: through === 'cold' ? 64 * 1024 : 256 * 1024,
    syncIntervalMs: 5,
  };
  // In some rounds somebody looks on, and must see everything without opening anything again.
  const onlooker: Target | undefined =
    random() < 0.3
      ? await openTarget(through, directory, random() < 0.5 ? { readOnly: true } : options)
      : undefined;
  const tasks = Array.from({ length: random() < 0.7 ? 1 : 2 }, (_, i) => ({
    through,
    directory,
    name: `r${round}p${i}`,
    options,
    inFlight: 1 + Math.floor(random() * 12),
    threads: random() < 0.2 ? 1 : 0,
  }));
  // Sometimes so early that the log is still being recovered.
  // A compaction begins after a tenth of a second.
  const longest = through === 'cold' ? 600 : 40;
  const delays = tasks.map(() => ({ early: random() < 0.15, ms: random() * random() * longest }));
  const ids = await Promise.all(tasks.map((task, i) => runAndKill(task, delays[i]!)));
  const now = ids.flat();
  acknowledged.push(...now);
  if (onlooker !== undefined) {
    await onlooker.check(now);
    await onlooker.close();
  }
  const target = await openTarget(through, directory, { ...options, verify: random() < 0.3 });
  const some = [...now, ...sample(acknowledged, 100, random)];
  await target.check(round % 10 === 9 ? acknowledged : [...new Set(some)]);
  await target.close();
}

/** Runs a process, kills it, and returns what it had acknowledged. */
async function runAndKill(task: WriterTask, delay: { early: boolean; ms: number }): Promise<string[]> {
  const script = fileURLToPath(new URL('writer-process.ts', import.meta.url));
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=@tracewell/source', script, JSON.stringify(task)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = new Promise<NodeJS.Signals | null>((resolve) =>
    child.on('exit', (_, signal) => resolve(signal)),
  );
  const ids: string[] = [];
  const { promise: stored, resolve: store } = Promise.withResolvers<void>();
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (line) => {
    ids.push(line);
    store();
  });
  const ended = new Promise<void>((resolve) => lines.on('close', () => resolve()));
  // A process needs about 150 ms until it opens its log.
  await (delay.early ? setTimeout(100 + delay.ms * 3) : Promise.race([stored, exited]));
  await setTimeout(delay.ms);
  child.kill('SIGKILL');
  const signal = await exited;
  if (signal !== 'SIGKILL') throw new Error(`the process ended by itself, with ${signal ?? 'an exit code'}`);
  await ended;
  return ids;
}

function sample(ids: readonly string[], count: number, random: () => number): string[] {
  if (ids.length === 0) return [];
  return Array.from({ length: count }, () => ids[Math.floor(random() * ids.length)]!);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '1000' },
      through: { type: 'string', default: 'store' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    },
  });
  const rounds = Number(values.rounds);
  const seed = Number(values.seed);
  const through = values.through as Through;
  console.log(`${rounds} rounds through the ${through}, seed ${seed}`);
  const started = Date.now();
  await killLoop({
    rounds,
    through,
    seed,
    report: (round, acknowledged) => {
      if (round % 10 !== 0 && round !== rounds) return;
      const seconds = Math.round((Date.now() - started) / 1000);
      console.log(`round ${round}/${rounds}: ${acknowledged} acknowledged, all found, ${seconds} s`);
    },
  });
}
