import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TracewellError } from '@tracewell/plugin';
import { frameBytes, MAX_PAYLOAD_BYTES } from '../../packages/store/src/log/frame.ts';
import { FrameKind, type LogOptions } from '../../packages/store/src/log/types.ts';
import { FaultDisk, fileError, type Operation } from './fault-disk.ts';
import { FrameList, openOn, texts, withCode } from './frame-list.ts';

const SMALL = { segmentBytes: 64 * 1024 };

/** Counts operations on segment files. */
function counted(disk: FaultDisk): Map<Operation, number> {
  const counts = new Map<Operation, number>();
  disk.fault = (operation, path) => {
    if (path.endsWith('.log')) counts.set(operation, (counts.get(operation) ?? 0) + 1);
    return undefined;
  };
  return counts;
}

function turns(count: number): Promise<void> {
  return count === 0
    ? Promise.resolve()
    : new Promise((resolve) => setImmediate(resolve)).then(() => turns(count - 1));
}

describe('appending', () => {
  it('shares one sync among everything that is appended at the same time', async () => {
    const disk = new FaultDisk(1);
    const { list, put } = await openOn(disk);
    await put('first');
    const counts = counted(disk);
    const all = texts('a', 64);
    await Promise.all(all.map(put));
    assert.equal(counts.get('sync'), 1);
    assert.deepEqual(list.texts(), [...all, 'first'].sort());
    await Promise.all(all.map((text) => turns(Number(text.slice(1, 3)) % 9).then(() => put(`more ${text}`))));
    assert.ok(counts.get('sync')! < 20, `${counts.get('sync')} syncs`);
  });

  it('resolves in order, after the sync, and only once the indexer has the frame', async () => {
    const disk = new FaultDisk(1);
    const { list, put } = await openOn(disk);
    const order: string[] = [];
    let synced = false;
    disk.fault = (operation) => {
      if (operation === 'sync') synced = true;
      return undefined;
    };
    await Promise.all(
      ['a', 'b', 'c'].map((text) =>
        put(text).then(() => {
          assert.ok(synced);
          assert.ok(list.texts().includes(text));
          order.push(text);
        }),
      ),
    );
    assert.deepEqual(order, ['a', 'b', 'c']);
  });

  it('hands back what the caller prepared, and nothing for frames that are read', async () => {
    const disk = new FaultDisk(1);
    const { log, list } = await openOn(disk);
    await log.append(FrameKind.TRACES, Buffer.from('a'), 'prepared a');
    log.appendSync(FrameKind.TRACES, Buffer.from('b'), 'prepared b');
    assert.deepEqual(list.prepared, ['prepared a', 'prepared b']);
    const reader = await openOn(disk, { readOnly: true });
    assert.deepEqual(reader.list.prepared, [undefined, undefined]);
  });

  it('takes payloads of any size up to the largest, empty ones too', async () => {
    const disk = new FaultDisk(1);
    const { log, list, put } = await openOn(disk);
    const sizes = [0, 1, 7, 8, 9, 4095, 4096, 4097, 100_000, 5_000_000];
    await Promise.all(sizes.map((size) => put('x'.repeat(size))));
    await put('y'.repeat(MAX_PAYLOAD_BYTES));
    await assert.rejects(put('y'.repeat(MAX_PAYLOAD_BYTES + 1)), RangeError);
    await assert.rejects(log.append(99 as FrameKind, new Uint8Array(1)), RangeError);
    await assert.rejects(log.append(FrameKind.MARK, new Uint8Array(1)), RangeError);
    await log.close();
    const again = await openOn(disk, { verify: true });
    assert.deepEqual(
      again.list.texts().map(({ length }) => length),
      list.texts().map(({ length }) => length),
    );
    assert.equal(again.list.texts().length, sizes.length + 1);
  });

  it('refuses more than may wait, and takes it later', async () => {
    const disk = new FaultDisk(1);
    const { log, put } = await openOn(disk, { maxPendingBytes: 1000 });
    await put('larger than the bound, but alone '.padEnd(2000));
    const accepted = texts('a', 10, 100).map(put);
    await assert.rejects(put('b'), withCode('TW_LOG_BUSY', /try again/));
    assert.equal(log.health().pendingBytes, 1000);
    assert.equal(log.health().refusedAppends, 1);
    await Promise.all(accepted);
    await put('b');
    assert.equal(log.health().pendingBytes, 0);
  });

  it('acknowledges before the sync with interval and none, and syncs when asked to', async () => {
    for (const durability of ['interval', 'none'] as const) {
      const disk = new FaultDisk(1);
      const { log, put } = await openOn(disk, { durability, syncIntervalMs: 60_000 });
      const counts = counted(disk);
      await put('a');
      assert.equal(counts.get('sync'), undefined);
      await log.flush();
      assert.equal(counts.get('sync'), 1);
      await log.flush();
      assert.equal(counts.get('sync'), 1, 'nothing new to sync');
      disk.cutPower('lost');
      assert.deepEqual((await openOn(disk)).list.texts(), ['a']);
    }
  });

  it('syncs by itself with interval', async () => {
    const disk = new FaultDisk(1);
    const { put } = await openOn(disk, { durability: 'interval', syncIntervalMs: 2 });
    const counts = counted(disk);
    await put('a');
    while (!counts.get('sync')) await turns(1);
    await turns(10);
    disk.cutPower('lost');
    assert.deepEqual((await openOn(disk)).list.texts(), ['a']);
  });

  it('goes on in a new segment when one is full, and saves the index of the old one', async () => {
    const disk = new FaultDisk(1);
    const { log, list, put } = await openOn(disk, SMALL);
    const all = texts('a', 40, 10_000);
    for (const text of all) await put(text);
    const segments = [...log.segments()];
    assert.deepEqual(
      segments.map(({ number }) => number),
      [1, 2, 3, 4, 5, 6, 7],
    );
    assert.deepEqual(
      segments.map(({ sealed }) => sealed),
      [true, true, true, true, true, true, false],
    );
    for (const { bytes } of segments) assert.ok(bytes <= SMALL.segmentBytes);
    await log.close();
    assert.deepEqual(list.texts(), all.toSorted());
    const again = await openOn(disk);
    assert.equal(again.list.loaded.length, 7, 'closing sealed the last one, which is more than half full');
    assert.equal(again.list.added, 0);
    assert.deepEqual(again.list.texts(), all.toSorted());
  });

  it('goes on after reopening in a segment that is less than a quarter full, else in a new one', async () => {
    for (const [count, segments, loaded] of [
      [1, [1], 0],
      [2, [1, 2], 1],
    ] as const) {
      const disk = new FaultDisk(1);
      const first = await openOn(disk, SMALL);
      const all = texts('a', count, 10_000);
      for (const text of all) await first.put(text);
      await first.log.close();
      const again = await openOn(disk, SMALL);
      assert.equal(again.list.loaded.length, loaded);
      await again.put('more');
      assert.deepEqual(
        [...again.log.segments()].map(({ number }) => number),
        segments,
      );
      assert.deepEqual(again.list.texts(), [...all, 'more'].toSorted());
      await again.log.close();
    }
  });

  it('F11 never appends to a segment of which an index was saved, also if it was not loaded', async () => {
    const disk = new FaultDisk(1);
    const first = await openOn(disk, SMALL);
    const all = texts('a', 4, 10_000);
    for (const text of all) await first.put(text);
    await first.log.close();
    const checked = await openOn(disk, { ...SMALL, verify: true });
    assert.equal(checked.list.loaded.length, 0);
    await checked.put('more');
    disk.kill();
    assert.deepEqual((await openOn(disk, SMALL)).list.texts(), [...all, 'more'].toSorted());
  });

  it('is over once the log is closed', async () => {
    const disk = new FaultDisk(1);
    const { log, put } = await openOn(disk);
    const last = put('last');
    await Promise.all([log.close(), log.close()]);
    await last;
    await assert.rejects(put('late'), withCode('TW_LOG_CLOSED'));
    assert.throws(() => log.appendSync(FrameKind.TRACES, Buffer.from('late')), withCode('TW_LOG_CLOSED'));
    assert.equal(log.health().status, 'closed');
    assert.deepEqual((await openOn(disk)).list.texts(), ['last']);
  });
});

describe('appending before it returns', () => {
  it('F53 writes and syncs everything that waits or is in flight, and itself last', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const disk = new FaultDisk(seed);
      const { log, list, put } = await openOn(disk, seed % 3 ? {} : { durability: 'interval' });
      if (seed % 2) await put('before'.padEnd(2000));
      const waiting = texts('w', 5, 1500);
      const promises = waiting.slice(0, 3).map(put);
      await turns(seed % 6);
      promises.push(...waiting.slice(3).map(put));
      log.appendSync(FrameKind.TRACES, Buffer.from('last'));
      const expected = [...(seed % 2 ? ['before'.padEnd(2000)] : []), 'last', ...waiting].sort();
      assert.deepEqual(list.texts(), expected, `seed ${seed}`);
      if (seed % 4 === 0) {
        // The process may also live on.
        await Promise.all(promises);
        await put('on');
        await log.flush();
        expected.push('on');
      }
      disk.cutPower('lost');
      assert.deepEqual(
        (await openOn(disk)).list.texts(),
        expected.toSorted(),
        `seed ${seed} after a power cut`,
      );
    }
  });

  it('F53 works as the first append of all, while the first segment is being made', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = new FaultDisk(seed);
      const { log, put } = await openOn(disk);
      const first = seed % 2 ? [put('first')] : [];
      await turns(seed % 5);
      log.appendSync(FrameKind.TRACES, Buffer.from('sync'));
      await Promise.all(first);
      disk.cutPower('lost');
      const expected = seed % 2 ? ['first', 'sync'] : ['sync'];
      assert.deepEqual((await openOn(disk)).list.texts(), expected, `seed ${seed}`);
    }
  });

  it('F53 goes on behind the group in flight while the next segment is being made', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const disk = new FaultDisk(seed);
      const { log, put } = await openOn(disk, SMALL);
      const expected = texts('a', 6, 10_000);
      for (const text of expected) await put(text);
      const rolling = put('rolling'.padEnd(20_000));
      await turns(seed % 8);
      log.appendSync(FrameKind.TRACES, Buffer.from('sync'));
      await rolling;
      await put('after'.padEnd(10_000));
      disk.cutPower('lost');
      expected.push('rolling'.padEnd(20_000), 'sync', 'after'.padEnd(10_000));
      assert.deepEqual((await openOn(disk)).list.texts(), expected.toSorted(), `seed ${seed}`);
    }
  });

  it('F53 counts a group once that has just become durable and is not acknowledged yet', async () => {
    for (const durability of ['commit', 'interval'] as const) {
      for (let microtasks = 0; microtasks < 12; microtasks++) {
        const disk = new FaultDisk(1);
        disk.maxDelay = 0;
        const { log, list, put } = await openOn(disk, { durability });
        await put('a');
        const later = async () => {
          for (let i = 0; i < microtasks; i++) await undefined;
          log.appendSync(FrameKind.TRACES, Buffer.from('c'));
        };
        let done: Promise<void> | undefined;
        disk.fault = (operation) => {
          if (operation !== (durability === 'commit' ? 'sync' : 'write')) return undefined;
          disk.fault = () => undefined;
          done = later();
          return undefined;
        };
        await put('b'.padEnd(600));
        await done;
        await put('d');
        const expected = ['a', 'b'.padEnd(600), 'c', 'd'];
        assert.deepEqual(list.texts(), expected);
        disk.kill();
        assert.deepEqual((await openOn(disk)).list.texts(), expected, `${microtasks} microtasks`);
      }
    }
  });

  it('throws what an append would reject with', async () => {
    const disk = new FaultDisk(1);
    const { log, put } = await openOn(disk);
    await put('a');
    disk.capacity = disk.used();
    assert.throws(() => log.appendSync(FrameKind.TRACES, Buffer.from('b')), withCode('TW_LOG_NO_SPACE'));
    disk.capacity = Number.POSITIVE_INFINITY;
    log.appendSync(FrameKind.TRACES, Buffer.from('c'));
    disk.fault = (operation) => (operation === 'sync' ? fileError('EIO') : undefined);
    assert.throws(() => log.appendSync(FrameKind.TRACES, Buffer.from('d')), withCode('TW_LOG_REFUSED'));
  });
});

describe('following other writers', () => {
  it('hands over what was acknowledged before refresh was called, across segments and takeovers', async () => {
    const disk = new FaultDisk(1);
    const reader = await openOn(disk, { readOnly: true });
    const expected: string[] = [];
    for (let generation = 0; generation < 4; generation++) {
      const writer = await openOn(disk, SMALL, new FrameList(), disk.boot());
      for (const text of texts(`g${generation}-`, 20, 10_000)) {
        await writer.put(text);
        expected.push(text);
        await reader.log.refresh();
        assert.deepEqual(reader.list.texts(), expected.toSorted());
      }
      void writer.put('never acknowledged'.padEnd(5000));
      await turns(generation % 2);
      // Only the writer dies.
      disk.processes.at(-1)!.die();
    }
    assert.equal(reader.log.health().writers.length, 1, 'each took over the log of the one before');
    const found = (await openOn(disk)).list.texts().filter((text) => !text.startsWith('never'));
    assert.deepEqual(found, expected.toSorted());
  });

  it('costs two system calls a writer when nothing is new', async () => {
    const disk = new FaultDisk(1);
    const writers = [await openOn(disk), await openOn(disk), await openOn(disk)];
    for (const { put } of writers) await put('a');
    const process = disk.boot();
    const reader = await openOn(disk, { readOnly: true }, new FrameList(), process);
    disk.nowMs += 10_000;
    await reader.log.refresh();
    const counts = { reads: 0, stats: 0, lists: 0 };
    disk.fault = () => {
      counts.reads++;
      return undefined;
    };
    const { statSync, listSync } = process;
    process.statSync = (path) => {
      counts.stats++;
      return statSync.call(process, path);
    };
    process.listSync = (path) => {
      counts.lists++;
      return listSync.call(process, path);
    };
    await reader.log.refresh();
    assert.deepEqual(counts, { reads: 3, stats: 3 + 1, lists: 0 });
  });

  it('shares a run among concurrent calls, and covers what was appended before each', async () => {
    const disk = new FaultDisk(1);
    const writer = await openOn(disk);
    const reader = await openOn(disk, { readOnly: true });
    await writer.put('a');
    const first = reader.log.refresh();
    await writer.put('b');
    await Promise.all([first, reader.log.refresh(), reader.log.refresh()]);
    assert.deepEqual(reader.list.texts(), ['a', 'b']);
  });

  it('forgets segments whose files are removed, and goes on with those that are there', async () => {
    const disk = new FaultDisk(1);
    const writer = await openOn(disk, SMALL);
    const reader = await openOn(disk, { readOnly: true });
    const all = texts('a', 30, 10_000);
    for (const text of all.slice(0, 15)) await writer.put(text);
    await reader.log.refresh();
    // The second goes before the reader has read its last segment to the end, as compaction may do.
    for (const text of all.slice(15)) await writer.put(text);
    const files = disk
      .files()
      .filter((path) => path.endsWith('.log'))
      .sort();
    const process = disk.boot();
    for (const path of files.slice(0, 4)) process.unlinkSync(path);
    await reader.log.refresh();
    assert.deepEqual(reader.list.texts(), all.slice(24).toSorted());
    assert.deepEqual(
      [...reader.log.segments()].map(({ number }) => number),
      [5],
    );
    await writer.put('more');
    await reader.log.refresh();
    assert.ok(reader.list.texts().includes('more'));
  });

  it('keeps other logs going when one cannot be followed, and tells', async () => {
    const disk = new FaultDisk(1);
    const [one, two] = [await openOn(disk), await openOn(disk)];
    const reader = await openOn(disk, { readOnly: true });
    await one.put('a');
    await two.put('b');
    const path = disk.files().find((name) => name.includes(`${one.log.writer}/`) && name.endsWith('.log'))!;
    disk.change(path, (bytes) => bytes.fill(9, 4, 5));
    await reader.log.refresh();
    assert.deepEqual(reader.list.texts(), ['b']);
    const health = reader.log.health().writers.find(({ writer }) => writer === one.log.writer)!;
    assert.match(String(health.error), /does not know/);
  });

  it('F29 sees everything though the clock jumps, forth and back', async () => {
    const disk = new FaultDisk(1);
    const reader = await openOn(disk, { readOnly: true });
    const expected: string[] = [];
    for (const jumpMs of [0, 86_400_000, -86_400_000, -1, -100_000_000_000, 0, 1]) {
      disk.nowMs += jumpMs;
      const writer = await openOn(disk, SMALL);
      for (const text of texts(`jump${jumpMs}n${expected.length} `, 8, 10_000)) {
        await writer.put(text);
        expected.push(text);
        await reader.log.refresh();
        assert.deepEqual(reader.list.texts(), expected.toSorted());
      }
      if (jumpMs < 0) await writer.log.close();
    }
  });

  it('looks at a segment again when the next one turns out to have begun', async () => {
    const disk = new FaultDisk(1);
    const writer = await openOn(disk, SMALL);
    const all = texts('a', 8, 10_000);
    for (const text of all) await writer.put(text);
    const [first, second] = disk
      .files()
      .filter((path) => path.endsWith('.log'))
      .sort() as [string, string];
    const [whole, begun] = [disk.read(first), disk.read(second)];
    disk.change(first, (bytes) => bytes.subarray(0, 64 + 2 * frameBytes(10_000)));
    disk.change(second, () => new Uint8Array(0));
    const reader = await openOn(disk, { readOnly: true });
    assert.deepEqual(reader.list.texts(), all.slice(0, 2));
    // The writer appends the rest and goes on in the next segment, just before that is looked at.
    disk.fault = (operation, path) => {
      if (operation === 'read' && path === second) {
        disk.fault = () => undefined;
        disk.change(first, () => whole);
        disk.change(second, () => begun);
      }
      return undefined;
    };
    await reader.log.refresh();
    assert.deepEqual(reader.list.texts(), all);
    assert.equal(reader.log.health().writers[0]!.error, undefined);
  });

  it('follows into a file that takes the place of one that had not begun', async () => {
    const disk = new FaultDisk(1);
    const writer = await openOn(disk);
    const path = `/store/log/${writer.log.writer}/0000000001.log`;
    disk.put(path, new Uint8Array(0));
    disk.kill();
    const reader = await openOn(disk, { readOnly: true });
    // Whoever takes the log over removes the empty file and makes another one.
    const next = await openOn(disk);
    await next.put('a');
    await reader.log.refresh();
    assert.deepEqual(reader.list.texts(), ['a']);
    assert.deepEqual(next.list.texts(), ['a']);
  });

  it('does not take a segment for missing that a listing left out', async () => {
    const disk = new FaultDisk(1);
    const writer = await openOn(disk, SMALL);
    const all = texts('a', 30, 10_000);
    for (const text of all) await writer.put(text);
    const process = disk.boot();
    let listings = 0;
    const list = process.listSync.bind(process);
    process.listSync = (path) => {
      const names = list(path);
      if (!names.includes('lock') && !names.includes('0000000003.log')) return names;
      return ++listings === 1 ? names.filter((name) => name !== '0000000003.log') : names;
    };
    const reader = await openOn(disk, { readOnly: true }, new FrameList(), process);
    assert.equal(listings, 2);
    assert.deepEqual(reader.list.texts(), all.toSorted());
  });

  it('reads without a directory, and meets it later', async () => {
    const disk = new FaultDisk(1);
    const reader = await openOn(disk, { readOnly: true });
    assert.equal(disk.directories.has('/store'), false, 'a reader creates nothing');
    assert.equal(reader.log.writer, undefined);
    await assert.rejects(reader.put('a'), withCode('TW_LOG_READ_ONLY'));
    const writer = await openOn(disk);
    await writer.put('a');
    await reader.log.refresh();
    assert.deepEqual(reader.list.texts(), ['a']);
    assert.equal(reader.log.health().status, 'read-only');
    assert.equal(reader.log.health().writers[0]!.state, 'live');
    disk.processes.at(-1)!.die();
    assert.equal(reader.log.health().writers[0]!.state, 'dead');
  });
});

describe('opening', () => {
  it('says which option is wrong, what came and what is allowed', async () => {
    const disk = new FaultDisk(1);
    const wrong: [options: unknown, message: RegExp][] = [
      [{ segmentBytes: 1 }, /segmentBytes must be a whole number from 65536 to 1073741824, got 1$/],
      [{ syncIntervalMs: '5' }, /syncIntervalMs must be a whole number from 1 to 60000, got "5"$/],
      [{ maxPendingBytes: Number.NaN }, /maxPendingBytes must be .*, got NaN$/],
      [{ durability: 'maybe' }, /durability must be one of "commit", "interval", "none", got "maybe"$/],
      [{ recovery: true }, /recovery must be one of "stop", "salvage", got true$/],
      [{ readOnly: 'yes' }, /readOnly must be true or false, got "yes"$/],
      [{ verify: 1 }, /verify must be true or false, got 1$/],
      [{ segmntBytes: 1 << 20 }, /segmntBytes is no option; there are readOnly, .*segmentBytes/],
      [{ toString: 1 }, /toString is no option/],
      ['readOnly', /options must be an object, got "readOnly"$/],
      [null, /options must be an object, got null$/],
    ];
    for (const [options, message] of wrong) {
      await assert.rejects(openOn(disk, options as LogOptions), (error: Error) => {
        assert.ok(error instanceof TypeError || error instanceof RangeError, error.name);
        assert.match(error.message, message);
        return /^openStore: /.test(error.message);
      });
    }
    assert.equal(disk.locks.size, 0);
  });

  it('passes over a log that it may not lock, and makes one of its own', async () => {
    const disk = new FaultDisk(1);
    const other = await openOn(disk);
    await other.put('a');
    disk.kill();
    const process = disk.boot();
    const tryLock = process.tryLock.bind(process);
    process.tryLock = (path) => {
      if (!path.includes(other.log.writer!)) return tryLock(path);
      throw new TracewellError('TW_LOG_LOCK_FAILED', 'somebody else’s');
    };
    const { log, list, put } = await openOn(disk, {}, new FrameList(), process);
    assert.notEqual(log.writer, other.log.writer);
    await put('b');
    assert.deepEqual(list.texts(), ['a', 'b']);
  });

  it('follows a log again that it could not read for a while, and tells meanwhile', async () => {
    const disk = new FaultDisk(1);
    const one = await openOn(disk);
    await one.put('a');
    const process = disk.boot();
    const { log, list } = await openOn(disk, { readOnly: true }, new FrameList(), process);
    const listSync = process.listSync.bind(process);
    for (const [round, unreadable] of ['/store/log', `/store/log/${one.log.writer}`].entries()) {
      // So that the directory has changed, and is listed again.
      disk.put(`/store/log/${one.log.writer}/note${round}`, new Uint8Array(1));
      for (const directory of disk.directories.values()) directory.modifiedMs = ++disk.nowMs;
      process.listSync = (path) => {
        if (path === unreadable) throw fileError('EACCES');
        return listSync(path);
      };
      await one.put(`b${round}`);
      await log.refresh();
      const { readError, writers } = log.health();
      assert.match(String(readError ?? writers[0]!.error), /EACCES/);
      process.listSync = listSync;
      await log.refresh();
      assert.equal(log.health().readError ?? log.health().writers[0]!.error, undefined);
      assert.deepEqual(list.texts(), ['a', 'b0', 'b1'].slice(0, 2 + round));
    }
  });

  it('removes temporary files of the log that it takes over, and only of that', async () => {
    const disk = new FaultDisk(1);
    const [one, two] = [await openOn(disk), await openOn(disk)];
    for (const { log } of [one, two]) disk.put(`/store/log/${log.writer}/x.tmp`, new Uint8Array(1));
    await one.log.close();
    await openOn(disk);
    assert.deepEqual(
      disk.files().filter((path) => path.endsWith('.tmp')),
      [`/store/log/${two.log.writer}/x.tmp`],
    );
  });
});
