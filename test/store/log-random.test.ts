/**
 * Random histories of several writers and readers on a disk that fails, against an oracle that only knows
 * what was submitted, what was acknowledged, and what was refused because there was no room.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FrameKind } from '../../packages/store/src/log/types.ts';
import { type Fault, FaultDisk, type FaultProcess, fileError } from './fault-disk.ts';
import { FrameList, type OpenLog, openOn } from './frame-list.ts';

interface Running extends OpenLog {
  readonly process: FaultProcess;
}

/** Runs one history; throws with its steps if what is found is not what the oracle allows. */
async function history(seed: number): Promise<void> {
  const disk = new FaultDisk(seed);
  const { random } = disk;
  const below = (bound: number) => Math.floor(random() * bound);
  const steps: string[] = [];
  const submitted = new Set<string>();
  const acknowledged = new Set<string>();
  const noRoom = new Set<string>();
  const writers: Running[] = [];
  const readers: Running[] = [];
  let last = 0;

  const step = (text: string): void => {
    steps.push(text);
  };
  /** Opening may fail as writing may, and then changes nothing. */
  const tryBoot = async (readOnly: boolean, into: Running[]): Promise<void> => {
    try {
      into.push(await boot(readOnly));
    } catch (error) {
      if (!/injected/.test(String((error as Error).message))) throw error;
      step('which fails');
    }
  };
  const boot = async (readOnly: boolean): Promise<Running> => {
    const process = disk.boot();
    const options = { readOnly, segmentBytes: 64 * 1024, verify: random() < 0.3 };
    return { process, ...(await openOn(disk, options, new FrameList(), process)) };
  };
  const newText = (): string => {
    const text = `t${++last} `.padEnd(1 + below(random() < 0.1 ? 50_000 : 2000), '.');
    submitted.add(text);
    return text;
  };
  const put = (writer: Running): Promise<void> => {
    const text = newText();
    return writer.put(text).then(
      () => void acknowledged.add(text),
      (error) => {
        if (error.code === 'TW_LOG_NO_SPACE') noRoom.add(text);
      },
    );
  };
  const check = (list: FrameList, mustHave: Iterable<string>, what: string): void => {
    const found = list.texts();
    const set = new Set(found);
    assert.equal(set.size, found.length, `${what}: something is there twice`);
    for (const text of mustHave) assert.ok(set.has(text), `${what}: ${text.slice(0, 10)} is lost`);
    for (const text of found) {
      assert.ok(submitted.has(text), `${what}: ${text.slice(0, 10)} was never written like this`);
      assert.ok(!noRoom.has(text), `${what}: ${text.slice(0, 10)} was rolled back`);
    }
  };
  const reopenAll = async (): Promise<void> => {
    writers.length = readers.length = 0;
    disk.fault = () => undefined;
    disk.capacity = Number.POSITIVE_INFINITY;
    const running = await boot(random() < 0.3);
    check(running.list, acknowledged, 'after reopening');
    (running.log.writer === undefined ? readers : writers).push(running);
  };

  try {
    for (let i = 0; i < 60; i++) {
      const writer = writers[below(writers.length)];
      const action = below(20);
      if (action < 2 && writers.length < 3) {
        step('open a writer');
        await tryBoot(false, writers);
      } else if (action < 3 && readers.length < 2) {
        step('open a reader');
        await tryBoot(true, readers);
      } else if (action < 9 && writer) {
        const count = 1 + below(8);
        step(`append ${count} at once`);
        const all = Array.from({ length: count }, () => put(writer));
        if (random() < 0.8) await Promise.all(all);
      } else if (action < 11 && writer) {
        const text = newText();
        step('append before it returns');
        try {
          writer.log.appendSync(FrameKind.TRACES, Buffer.from(text));
          acknowledged.add(text);
        } catch (error) {
          if ((error as { code?: string }).code === 'TW_LOG_NO_SPACE') noRoom.add(text);
        }
      } else if (action < 13) {
        step('refresh everybody');
        const before = [...acknowledged];
        for (const { log, list } of [...readers, ...writers]) {
          await log.refresh();
          if (log.health().status !== 'refusing-writes') check(list, before, 'after refresh');
        }
      } else if (action < 14 && writer) {
        step('close a writer');
        writers.splice(writers.indexOf(writer), 1);
        await writer.log.close();
      } else if (action < 15 && writer) {
        step('kill a writer');
        writers.splice(writers.indexOf(writer), 1);
        writer.process.die();
      } else if (action < 16) {
        step('kill all');
        disk.kill();
        await reopenAll();
      } else if (action < 17) {
        const unsynced = random() < 0.5 ? 'lost' : 'shuffled';
        step(`cut the power, what is unsynced is ${unsynced}`);
        disk.cutPower(unsynced);
        await reopenAll();
      } else if (action < 18) {
        disk.capacity = random() < 0.5 ? disk.used() + below(5000) : Number.POSITIVE_INFINITY;
        step(`room for ${disk.capacity}`);
      } else if (action < 19) {
        step('writes are short');
        disk.fault = (operation): Fault =>
          operation === 'write' && random() < 0.3 ? { shortBytes: 1 + below(600) } : undefined;
      } else {
        step('a sync or a write fails');
        let armed = true;
        disk.fault = (operation, path): Fault => {
          if (!armed || !path.endsWith('.log') || (operation !== 'sync' && operation !== 'write'))
            return undefined;
          armed = false;
          return fileError('EIO');
        };
      }
    }
    step('kill all at the end');
    disk.kill();
    await reopenAll();
  } catch (error) {
    throw new Error(`seed ${seed}: ${(error as Error).message}\n  ${steps.join('\n  ')}`, { cause: error });
  }
}

it('a random history never loses what was acknowledged, nor finds what was not written', async () => {
  const first = Number(process.env.TRACEWELL_SEED ?? Date.now() % 1_000_000);
  const count = Number(process.env.TRACEWELL_HISTORIES ?? 150);
  for (let seed = first; seed < first + count; seed++) await history(seed);
});
