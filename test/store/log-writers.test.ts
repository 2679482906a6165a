/** FAULTS F17: many writers in one directory, in processes and threads that really die. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { nodeFileSystem } from '../../packages/store/src/fs/node-file-system.ts';
import type { WriterTask } from './crash/writer-process.ts';
import { openAt } from './frame-list.ts';

function script(name: string): string {
  return fileURLToPath(new URL(`crash/${name}`, import.meta.url));
}

function run(name: string, argument: string): ChildProcess {
  return spawn(process.execPath, ['--conditions=@tracewell/source', script(name), argument], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = await once(createInterface({ input: child.stdout! }), 'line');
  return line;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tracewell-writers-'));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('F17 writers in one directory', () => {
  it('each have a log, and all see all within a second', () =>
    inDirectory(async (directory) => {
      const onlooker = await openAt(directory, { readOnly: true });
      const [one, two] = [await openAt(directory), await openAt(directory)];
      const task: WriterTask = {
        through: 'log',
        directory,
        name: 'p',
        options: { segmentBytes: 256 * 1024 },
        inFlight: 4,
        threads: 2,
      };
      const child = run('writer-process.ts', JSON.stringify(task));
      const acknowledged: string[] = [];
      const lines = createInterface({ input: child.stdout! });
      lines.on('line', (line) => acknowledged.push(line));
      const closed = once(lines, 'close');
      const writers = new Set<string>();
      while (writers.size < 3) {
        await once(lines, 'line');
        for (const id of acknowledged) writers.add(id.split('-')[0]!);
      }
      await Promise.all([one.put('one'), two.put('two')]);
      const now = [...acknowledged];
      for (const { log, list } of [onlooker, one, two]) {
        await log.refresh();
        const ids = new Set(list.texts().map((text) => text.split(' ')[0]));
        assert.deepEqual(
          [...now, 'one', 'two'].filter((id) => !ids.has(id)),
          [],
        );
      }
      const states = one.log.health().writers.map(({ state }) => state);
      assert.deepEqual(states.sort(), ['live', 'live', 'live', 'live', 'own']);
      assert.equal(readdirSync(join(directory, 'log')).length, 5);

      await kill(child);
      await closed;
      assert.equal(one.log.health().writers.filter(({ state }) => state === 'dead').length, 3);
      // The next writers take over the logs of the dead process, one each.
      const next = await Promise.all([openAt(directory), openAt(directory), openAt(directory)]);
      assert.equal(readdirSync(join(directory, 'log')).length, 5);
      await Promise.all(next.map(({ put }, i) => put(`next${i}`)));
      for (const { log, list } of [onlooker, one, two, ...next]) {
        await log.refresh();
        const ids = list.texts().map((text) => text.split(' ')[0]);
        assert.equal(new Set(ids).size, ids.length, 'nothing twice');
        const missing = [...acknowledged, 'next0', 'next1', 'next2'].filter((id) => !ids.includes(id));
        assert.deepEqual(missing, []);
      }
      for (const { log } of [onlooker, one, two, ...next]) await log.close();
    }));

  it('never take over the same log, however many start at once', () =>
    inDirectory(async (directory) => {
      const dead = run('open-process.ts', directory);
      const name = await firstLine(dead);
      await kill(dead);
      const children = Array.from({ length: 5 }, () => run('open-process.ts', directory));
      const names = await Promise.all(children.map(firstLine));
      assert.equal(new Set(names).size, 5, names.join());
      assert.ok(names.includes(name), 'one of them has the log of the dead process');
      for (const child of children) {
        child.stdin!.end();
        await once(child, 'exit');
      }
      // Closed logs are free like those of the dead.
      const again = await openAt(directory);
      assert.ok(names.includes(again.log.writer!));
      await again.log.close();
    }));

  it('in one process exclude each other too', () =>
    inDirectory(async (directory) => {
      const [one, two] = [await openAt(directory), await openAt(directory)];
      assert.notEqual(one.log.writer, two.log.writer);
      await one.put('one');
      await two.log.refresh();
      assert.deepEqual(two.list.texts(), ['one']);
      await one.log.close();
      const three = await openAt(directory);
      assert.equal(three.log.writer, one.log.writer);
      await two.log.close();
      await three.log.close();
    }));
});

describe('F53 a process that exits by itself', () => {
  for (const how of ['exit', 'throw']) {
    it(`loses nothing of what is in flight or appended at exit (${how})`, () =>
      inDirectory(async (directory) => {
        const logs = 2;
        for (let turns = 0; turns < logs; turns++) {
          const child = spawn(
            process.execPath,
            ['--conditions=@tracewell/source', script('exit-process.ts'), directory, String(turns), how],
            { stdio: 'ignore' },
          );
          const [code] = await once(child, 'exit');
          assert.equal(code, how === 'exit' ? 0 : 1);
        }
        const { log, list } = await openAt(directory);
        const found = list.texts();
        assert.equal(found.filter((text) => text === 'before').length, logs);
        assert.equal(found.filter((text) => text === 'at exit').length, logs);
        assert.equal(found.filter((text) => text.startsWith('in flight')).length, logs * 20);
        await log.close();
      }));
  }
});

describe('the lock', () => {
  it('is held once, by whichever thread or process, and dies with it', () =>
    inDirectory(async (directory) => {
      const path = join(directory, 'lock');
      const free = () => {
        assert.equal(nodeFileSystem.isLocked(path), false);
        const lock = nodeFileSystem.tryLock(path);
        assert.ok(lock);
        lock.release();
        lock.release();
      };
      const taken = () => {
        assert.equal(nodeFileSystem.isLocked(path), true);
        assert.equal(nodeFileSystem.tryLock(path), undefined);
      };
      assert.equal(nodeFileSystem.isLocked(path), false, 'there is no such file');
      free();
      const lock = nodeFileSystem.tryLock(path)!;
      taken();
      lock.release();
      free();

      const fileSystem = new URL('../../packages/store/src/fs/node-file-system.ts', import.meta.url).href;
      const hold = `
        const { nodeFileSystem } = await import(${JSON.stringify(fileSystem)});
        globalThis.lock = nodeFileSystem.tryLock(${JSON.stringify(path)});
        const { parentPort } = await import('node:worker_threads');
        parentPort ? parentPort.postMessage('held') : console.log('held');
        setInterval(() => {}, 1000);`;
      const thread = new Worker(`(async () => {${hold}})()`, { eval: true });
      await once(thread, 'message');
      taken();
      await thread.terminate();
      free();

      const child = spawn(
        process.execPath,
        ['--conditions=@tracewell/source', '--input-type=module', '-e', hold],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      );
      assert.equal(await firstLine(child), 'held');
      taken();
      await kill(child);
      free();
      // No journal, nothing written: the lock is an empty file.
      assert.deepEqual(readdirSync(directory), ['lock']);
    }));

  it('prints no warning, and holds back nobody else’s', async () => {
    const fileSystem = new URL('../../packages/store/src/fs/node-file-system.ts', import.meta.url).href;
    const code = `
      const { nodeFileSystem } = await import(${JSON.stringify(fileSystem)});
      const { tmpdir } = await import('node:os');
      nodeFileSystem.isLocked(tmpdir() + '/no-such-lock');
      process.emitWarning('mine');`;
    const child = spawn(
      process.execPath,
      ['--conditions=@tracewell/source', '--input-type=module', '-e', code],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    let errors = '';
    child.stderr!.on('data', (data) => {
      errors += data;
    });
    await once(child, 'close');
    assert.match(errors, /mine/);
    assert.doesNotMatch(errors, /SQLite/);
  });
});
