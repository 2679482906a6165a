/** FAULTS F02 to F20, as far as the log is concerned, on a disk that fails on demand. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { FRAME_HEADER_BYTES, frameBytes, writeFrameHeader } from '../../packages/store/src/log/frame.ts';
import {
  parseSegmentHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from '../../packages/store/src/log/segment-header.ts';
import { FrameKind } from '../../packages/store/src/log/types.ts';
import { type Fault, FaultDisk, fileError, type Operation } from './fault-disk.ts';
import { FrameList, openOn, texts, withCode } from './frame-list.ts';

const SMALL = { segmentBytes: 64 * 1024 };

/** The path of the only segment with this number. */
function segmentFile(disk: FaultDisk, number = 1): string {
  const suffix = `/${String(number).padStart(10, '0')}.log`;
  return disk.files().find((path) => path.endsWith(suffix))!;
}

function filesEnding(disk: FaultDisk, suffix: string): string[] {
  return disk.files().filter((path) => path.endsWith(suffix));
}

/** A disk on which these texts were acknowledged one by one, and its process then killed. */
async function diskWith(acknowledged: readonly string[], seed = 1, options = {}): Promise<FaultDisk> {
  const disk = new FaultDisk(seed);
  const { put, log } = await openOn(disk, options);
  for (const text of acknowledged) await put(text);
  await log.flush();
  disk.kill();
  return disk;
}

/** What is found on a disk after reopening, and what health says of it. */
async function reopen(disk: FaultDisk, options = {}) {
  const { log, list } = await openOn(disk, options);
  const found = { texts: list.texts(), health: log.health() };
  await log.close();
  return found;
}

/** A fault for the first operation of a kind on a path with this ending, once; `hits` counts. */
function once(operation: Operation, suffix: string, fault: Fault) {
  const state = {
    hits: 0,
    when: (name: Operation, path: string): Fault => {
      if (name !== operation || !path.endsWith(suffix) || state.hits > 0) return undefined;
      state.hits++;
      return fault;
    },
  };
  return state;
}

/** Flips bits of one byte of a file. */
function flip(disk: FaultDisk, path: string, at: number, bits = 1): void {
  disk.change(path, (bytes) => {
    bytes[at] = bytes[at]! ^ bits;
    return bytes;
  });
}

/** The frames of a segment file, by walking their length fields. */
function framesOf(bytes: Uint8Array): { at: number; end: number }[] {
  const frames = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (
    let at = SEGMENT_HEADER_BYTES;
    at + FRAME_HEADER_BYTES <= bytes.length && view.getUint32(at, true) !== 0;
  ) {
    const end = at + frameBytes(view.getUint32(at + 32, true));
    frames.push({ at, end });
    at = end;
  }
  return frames;
}

describe('the log after a power cut', () => {
  it('F02 has everything that was acknowledged, though all that was not synced is lost', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = new FaultDisk(seed);
      const { put } = await openOn(disk, SMALL);
      const acknowledged: string[] = [];
      const all = texts('a', 200, 1000);
      for (const text of all) void put(text).then(() => acknowledged.push(text));
      for (let i = 0; i < seed * 4; i++) await new Promise((resolve) => setImmediate(resolve));
      disk.cutPower('lost');
      const { texts: found } = await reopen(disk);
      for (const text of acknowledged) assert.ok(found.includes(text), `seed ${seed}: ${text} is lost`);
      assert.ok(found.length <= all.length);
    }
  });

  it('F02 loses at most what came after the last sync with durability interval', async () => {
    const disk = new FaultDisk(1);
    const { log, put } = await openOn(disk, { durability: 'interval', syncIntervalMs: 60_000 });
    await put('synced');
    await log.flush();
    await put('written');
    disk.cutPower('lost');
    assert.deepEqual((await reopen(disk)).texts, ['synced']);
  });

  it('F02 opens with durability none too, and has all segments but the last as they were', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = new FaultDisk(seed);
      const { log, put } = await openOn(disk, { ...SMALL, durability: 'none' });
      const all = texts('a', 10 + seed, 10_000);
      for (const text of all) await put(text);
      const sealed = [...log.segments()].filter((segment) => segment.sealed).length * 6;
      disk.cutPower(seed % 2 ? 'lost' : 'shuffled');
      const { texts: found } = await reopen(disk);
      for (const text of all.slice(0, sealed))
        assert.ok(found.includes(text), `seed ${seed}: ${text.slice(0, 9)}`);
    }
  });

  it('F03 opens without the unacknowledged group, whatever sectors of it arrived', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const disk = new FaultDisk(seed);
      const { put } = await openOn(disk);
      const acknowledged = texts('a', 5, 300);
      for (const text of acknowledged) await put(text);
      disk.fault = (operation) => (operation === 'sync' ? fileError('EIO') : undefined);
      const group = texts('b', 6, 900);
      await Promise.all(group.map((text) => assert.rejects(put(text), withCode('TW_LOG_REFUSED'))));
      disk.fault = () => undefined;
      // The failed sync made the operating system forget which sectors are dirty; here they are anew.
      const path = segmentFile(disk);
      const whole = disk.read(path);
      const durable = disk.find(path)!.platter.slice();
      disk.find(path)!.resize(durable.length);
      disk.find(path)!.write(whole, 0);
      disk.cutPower('shuffled');
      const { texts: found, health } = await reopen(disk);
      const rest = found.filter((text) => !acknowledged.includes(text));
      assert.ok(
        rest.length === 0 || rest.length === group.length,
        `seed ${seed}: ${rest.length} of the group`,
      );
      assert.equal(found.length, acknowledged.length + rest.length, `seed ${seed}`);
      assert.equal(health.damagedBytes, 0);
    }
  });

  it('F03 the rest of an unacknowledged group does not come back behind what is appended next', async () => {
    const disk = new FaultDisk(1);
    const { put } = await openOn(disk);
    await put('a');
    await Promise.all(texts('group', 4, 500).map(put));
    disk.kill();
    // Of the last group everything arrived but a part of its first frame, which a frame of the same length
    // then takes the place of.
    flip(disk, segmentFile(disk), framesOf(disk.read(segmentFile(disk)))[1]!.at + 100);
    const again = await openOn(disk);
    assert.deepEqual(again.list.texts(), ['a']);
    const [next] = texts('next', 1, 500);
    await again.put(next!);
    disk.kill();
    assert.deepEqual((await reopen(disk)).texts, ['a', next]);
  });

  it('F12 has what was acknowledged in a segment that was created just before', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = new FaultDisk(seed);
      const { put } = await openOn(disk, SMALL);
      const acknowledged: string[] = [];
      for (const text of texts('a', 30, 10_000)) {
        await put(text);
        acknowledged.push(text);
        if (filesEnding(disk, '.log').length === 1 + (seed % 3)) break;
      }
      void put('never acknowledged'.padEnd(60_000, '.'));
      for (let i = 0; i < seed % 5; i++) await new Promise((resolve) => setImmediate(resolve));
      disk.cutPower(seed % 2 ? 'lost' : 'shuffled');
      const { texts: found } = await reopen(disk);
      assert.deepEqual(
        found.filter((text) => !text.startsWith('never')),
        acknowledged.sort(),
        `seed ${seed}`,
      );
    }
  });
});

describe('the tail of the log', () => {
  it('F04 is cut back to the last whole frame, wherever it was cut', async () => {
    const acknowledged = texts('a', 3, 50);
    const template = await diskWith(acknowledged);
    const last = framesOf(template.read(segmentFile(template))).at(-1)!;
    for (let length = last.at; length <= last.end; length++) {
      const disk = await diskWith(acknowledged);
      const before = disk.read(segmentFile(disk));
      disk.change(segmentFile(disk), (bytes) => bytes.subarray(0, length));
      const { texts: found, health } = await reopen(disk);
      assert.deepEqual(
        found,
        length === last.end ? acknowledged : acknowledged.slice(0, 2),
        `cut at ${length}`,
      );
      const torn = length === last.end ? 0 : length - last.at;
      assert.equal(health.tornBytes, torn, `cut at ${length}`);
      assert.equal(health.setAside.length, torn === 0 ? 0 : 1);
      if (torn > 0) {
        const kept = disk.read(filesEnding(disk, '.torn')[0]!);
        assert.deepEqual(kept, before.slice(last.at, length));
      }
      // And the log goes on.
      const { put, log } = await openOn(disk);
      await put('more');
      await log.close();
      assert.ok((await reopen(disk)).texts.includes('more'));
    }
  });

  it('F05 may be zeros, which never parse as a frame', async () => {
    for (const zeros of [1, 8, 40, 512, 4096, 3_000_000]) {
      const disk = await diskWith(['a', 'b']);
      disk.change(
        segmentFile(disk),
        (bytes) => new Uint8Array(Buffer.concat([bytes, new Uint8Array(zeros)])),
      );
      const { texts: found, health } = await reopen(disk);
      assert.deepEqual(found, ['a', 'b']);
      // Zeros are room that was never written to: nothing to keep a copy of.
      assert.equal(health.tornBytes, 0);
    }
    const disk = await diskWith(['a', 'b'.padEnd(2000)]);
    disk.change(segmentFile(disk), (bytes) => bytes.fill(0, 1024, 1536));
    const { texts: found, health } = await reopen(disk);
    assert.deepEqual(found, ['a']);
    assert.ok(health.tornBytes > 1500);
  });

  it('F06 is cut back when any bit of the last frame is flipped', async () => {
    const acknowledged = texts('a', 3, 21);
    const template = await diskWith(acknowledged);
    const last = framesOf(template.read(segmentFile(template))).at(-1)!;
    for (let at = last.at; at < last.end; at++) {
      const bit = 1 << (at % 8);
      const disk = await diskWith(acknowledged);
      flip(disk, segmentFile(disk), at, bit);
      const { texts: found, health } = await reopen(disk);
      assert.deepEqual(found, acknowledged.slice(0, 2), `byte ${at - last.at} of the frame`);
      assert.equal(health.tornBytes, last.end - last.at);
    }
  });

  it('F08 with a length of 0xFFFFFFFF is cut without a large allocation', async () => {
    const disk = await diskWith(['a', 'b', 'c']);
    const path = segmentFile(disk);
    const [, second, third] = framesOf(disk.read(path));
    disk.change(path, (bytes) => bytes.fill(0xff, third!.at + 32, third!.at + 36));
    const before = process.memoryUsage().arrayBuffers;
    assert.deepEqual((await reopen(disk)).texts, ['a', 'b']);
    assert.ok(process.memoryUsage().arrayBuffers - before < 32 * 1024 * 1024);

    const other = await diskWith(['a', 'b', 'c']);
    other.change(segmentFile(other), (bytes) => bytes.fill(0xff, second!.at + 32, second!.at + 36));
    await assert.rejects(openOn(other), withCode('TW_LOG_DAMAGED', new RegExp(`byte ${second!.at}:`)));
  });
});

describe('damage to acknowledged data', () => {
  it('F07 stops the opening at any flipped bit below a later durable mark, and changes nothing', async () => {
    const acknowledged = texts('a', 3, 21);
    const template = await diskWith(acknowledged);
    const [first] = framesOf(template.read(segmentFile(template)));
    for (let at = first!.at; at < first!.end; at++) {
      const disk = await diskWith(acknowledged);
      const path = segmentFile(disk);
      flip(disk, path, at, 1 << (at % 8));
      const before = disk.read(path);
      const message = new RegExp(`0000000001\\.log is damaged at byte ${first!.at}: frame 1 `);
      await assert.rejects(openOn(disk), withCode('TW_LOG_DAMAGED', message));
      await assert.rejects(openOn(disk, { readOnly: true }), withCode('TW_LOG_DAMAGED', message));
      assert.deepEqual(disk.read(path), before);
      assert.equal(disk.locks.size, 0, 'a failed opening gives the lock back');
    }
  });

  it('F07 is found in the last acknowledged frame too, once the log was closed', async () => {
    const disk = new FaultDisk(1);
    const { log, put } = await openOn(disk);
    await put('a');
    await log.close();
    flip(disk, segmentFile(disk), SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES);
    await assert.rejects(openOn(disk), withCode('TW_LOG_DAMAGED'));
  });

  it('F07 is left out by salvage, kept aside, and then the log is whole', async () => {
    const acknowledged = texts('a', 6, 300);
    const disk = await diskWith(acknowledged);
    const path = segmentFile(disk);
    const frames = framesOf(disk.read(path));
    flip(disk, path, frames[1]!.at + 60);
    flip(disk, path, frames[3]!.at + 3);
    const damaged = disk.read(path);
    const survivors = acknowledged.filter((_, i) => i !== 1 && i !== 3);

    const reader = await openOn(disk, { readOnly: true, recovery: 'salvage' });
    assert.deepEqual(reader.list.texts(), survivors);
    assert.deepEqual(disk.read(path), damaged, 'a reader changes nothing');

    const { texts: found, health } = await reopen(disk, { recovery: 'salvage' });
    assert.deepEqual(found, survivors);
    assert.equal(health.damagedBytes, 2 * frameBytes(300));
    assert.equal(health.setAside.length, 2);
    for (const i of [1, 3]) {
      const kept = filesEnding(disk, `.${frames[i]!.at}.damaged`);
      assert.deepEqual(disk.read(kept[0]!), damaged.slice(frames[i]!.at, frames[i]!.end));
    }
    assert.deepEqual((await reopen(disk)).texts, survivors, 'an ordinary opening works again');
  });

  it('F07 sets aside and replaces more than one frame can stand for', async () => {
    const large = ['a', 'b', 'c'].map((letter) => letter.repeat(10 * 1024 * 1024 + 5));
    const disk = await diskWith([...large, 'last']);
    const path = segmentFile(disk);
    for (const { at } of framesOf(disk.read(path)).slice(0, 2)) flip(disk, path, at + 1000);
    for (const options of [{ recovery: 'salvage' }, {}, { verify: true }]) {
      const { texts: found } = await reopen(disk, options);
      assert.deepEqual(
        found.map((text) => text.length),
        [large[2]!.length, 4],
      );
    }
    const [kept] = filesEnding(disk, '.damaged');
    assert.equal(disk.read(kept!).length, 2 * frameBytes(large[0]!.length));
  });

  it('F07 notices a whole frame that is taken out of the middle', async () => {
    const disk = await diskWith(texts('a', 4, 300));
    const path = segmentFile(disk);
    const second = framesOf(disk.read(path))[1]!;
    disk.change(path, (bytes) =>
      Uint8Array.from([...bytes.subarray(0, second.at), ...bytes.subarray(second.end)]),
    );
    await assert.rejects(openOn(disk), withCode('TW_LOG_DAMAGED', new RegExp(`byte ${second.at}: frame 2 `)));
    for (let times = 0; times < 2; times++) {
      assert.equal((await reopen(disk, { recovery: 'salvage' })).texts.length, 3);
    }
    await assert.rejects(openOn(disk), withCode('TW_LOG_DAMAGED'), 'there is no room to note the gap');
  });

  it('F07 in several frames of one group leaves out only those', async () => {
    const disk = new FaultDisk(3);
    const { put } = await openOn(disk);
    const group = texts('g', 5, 200);
    await Promise.all(group.map(put));
    await put('later');
    disk.kill();
    const path = segmentFile(disk);
    const frames = framesOf(disk.read(path));
    flip(disk, path, frames[1]!.at + 50);
    flip(disk, path, frames[4]!.at + 50);
    await assert.rejects(openOn(disk), withCode('TW_LOG_DAMAGED', new RegExp(`byte ${frames[1]!.at}:`)));
    const survivors = [group[0]!, group[2]!, group[3]!, 'later'].sort();
    assert.deepEqual((await reopen(disk, { recovery: 'salvage' })).texts, survivors);
    assert.deepEqual((await reopen(disk)).texts, survivors);
  });

  it('F07 in a sealed segment is found when its frames are read, and salvaged', async () => {
    const acknowledged = texts('a', 30, 10_000);
    for (const place of ['header', 'frame', 'end', 'truncated'] as const) {
      const disk = await diskWith(acknowledged, 1, SMALL);
      const path = segmentFile(disk, 2);
      const frames = framesOf(disk.read(path));
      const last = frames.at(-1)!.at;
      if (place === 'truncated') disk.change(path, (bytes) => bytes.subarray(0, last));
      else flip(disk, path, { header: 10, frame: frames[1]!.at + 100, end: last + 100 }[place]);
      for (const index of filesEnding(disk, '.idx')) disk.put(index, undefined);
      await assert.rejects(openOn(disk), withCode('TW_LOG_DAMAGED', /0000000002\.log/), place);
      const { texts: found } = await reopen(disk, { ...SMALL, recovery: 'salvage' });
      assert.equal(found.length, place === 'header' ? 30 : 29, place);
      assert.deepEqual((await reopen(disk)).texts, found, `${place}, opened again`);
      assert.deepEqual((await reopen(disk, { verify: true })).texts, found, `${place}, verified`);
    }
  });

  it('F07 behind an index file is found by verify', async () => {
    const disk = await diskWith(texts('a', 30, 10_000), 1, SMALL);
    await reopen(disk);
    flip(disk, segmentFile(disk, 2), 5000);
    assert.equal((await openOn(disk)).list.loaded.length > 0, true);
    disk.kill();
    await assert.rejects(openOn(disk, { verify: true }), withCode('TW_LOG_DAMAGED', /0000000002\.log/));
  });

  it('F07 in the log of a live writer does not pass unnoticed for long', async () => {
    const disk = new FaultDisk(1);
    const writer = await openOn(disk);
    const reader = await openOn(disk, { readOnly: true });
    await writer.put('a');
    await reader.log.refresh();
    await writer.put('b');
    const end = disk.read(segmentFile(disk)).length;
    await writer.put('c');
    flip(disk, segmentFile(disk), end - 10);
    await reader.log.refresh();
    assert.equal(reader.log.health().writers[0]!.error, undefined, 'not before a second look');
    disk.nowMs += 5000;
    await reader.log.refresh();
    assert.match(String(reader.log.health().writers[0]!.error), /damaged at byte/);
    assert.deepEqual(reader.list.texts(), ['a']);
  });

  it('F09 stops the opening when a middle segment is missing, and names it', async () => {
    const acknowledged = texts('a', 30, 10_000);
    const disk = await diskWith(acknowledged, 1, SMALL);
    disk.put(segmentFile(disk, 3), undefined);
    await assert.rejects(openOn(disk), withCode('TW_LOG_SEGMENT_MISSING', /0000000003\.log is missing/));
    const { texts: found } = await reopen(disk, { ...SMALL, recovery: 'salvage' });
    assert.equal(found.length, 30 - 6);
    assert.deepEqual((await reopen(disk)).texts, found);
  });

  it('F10 opens with empty segments, stray temporary files and anything else that lies about', async () => {
    const disk = await diskWith(['a', 'b']);
    const directory = segmentFile(disk).replace(/\/[^/]*$/, '');
    disk.put(`${directory}/0000000002.log`, new Uint8Array(0));
    disk.put(`${directory}/0000000001.idx.a1b2.tmp`, new Uint8Array(10));
    disk.put(`${directory}/notes.txt`, new Uint8Array(10));
    disk.boot().makeDirectorySync('/store/log/not-a-writer');
    assert.deepEqual((await reopen(disk)).texts, ['a', 'b']);
    assert.deepEqual(filesEnding(disk, '.tmp'), []);
    assert.equal(filesEnding(disk, 'notes.txt').length, 1);

    disk.put(`${directory}/0000000002.log`, new Uint8Array(100_000));
    const { put, log } = await openOn(disk);
    await put('c');
    await log.close();
    assert.deepEqual((await reopen(disk)).texts, ['a', 'b', 'c']);

    disk.put(`${directory}/0000000002.log`, new Uint8Array(1000).fill(7));
    const { texts: found, health } = await reopen(disk);
    assert.deepEqual(found, ['a', 'b', 'c']);
    assert.equal(health.tornBytes, 1000, 'a header that was never finished is a torn tail');
  });

  it('F11 builds a missing, damaged or foreign index file again from the log', async () => {
    const acknowledged = texts('a', 40, 10_000).sort();
    const disk = await diskWith(acknowledged, 1, SMALL);
    await reopen(disk);
    const indexes = filesEnding(disk, '.idx').sort();
    assert.ok(indexes.length >= 5);
    const [missing, flipped, foreign, short, long] = indexes;
    disk.put(missing!, undefined);
    flip(disk, flipped!, 100);
    disk.put(foreign!, disk.read(long!));
    disk.change(short!, (bytes) => bytes.subarray(0, 70));
    const { list, log } = await openOn(disk);
    assert.deepEqual(list.texts(), acknowledged);
    assert.deepEqual(
      list.loaded.map(({ number }) => number).sort(),
      indexes.slice(4).map((path) => Number(path.match(/(\d+)\.idx/)![1])),
    );
    await log.close();
    const again = await openOn(disk);
    assert.equal(again.list.loaded.length, indexes.length, 'and writes them');
    assert.deepEqual(again.list.texts(), acknowledged);
  });

  it('F11 reads the frames when the indexer does not know its own index any more', async () => {
    const acknowledged = texts('a', 40, 10_000).sort();
    const disk = await diskWith(acknowledged, 1, SMALL);
    await reopen(disk);
    const list = new FrameList();
    list.refuseLoad = true;
    await openOn(disk, {}, list);
    assert.deepEqual(list.texts(), acknowledged);
  });
});

describe('writes that fail', () => {
  it('F13 makes one whole frame of a short write that is continued', async () => {
    for (const shortBytes of [1, 39, 64, 100, 3000]) {
      const disk = new FaultDisk(1);
      const { put } = await openOn(disk);
      await put('a');
      const fault = once('write', '.log', { shortBytes });
      disk.fault = fault.when;
      const large = 'b'.padEnd(5000, 'b');
      await Promise.all([put(large), put('c')]);
      assert.equal(fault.hits, 1);
      disk.kill();
      assert.deepEqual((await reopen(disk)).texts, ['a', large, 'c']);
    }
  });

  it('F14 refuses what does not fit, rolls back, and goes on when there is room, without reopening', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const disk = new FaultDisk(seed);
      const { log, list, put } = await openOn(disk);
      await put('a');
      const frameEnd = disk.read(segmentFile(disk)).length;
      disk.capacity = disk.used() + 500 + seed;
      const refused = ['b', 'c', 'd'].map((text) => put(text.padEnd(300, '.')));
      for (const promise of refused) await assert.rejects(promise, withCode('TW_LOG_NO_SPACE', /make room/));
      assert.equal(disk.read(segmentFile(disk)).length, frameEnd, 'rolled back to a frame boundary');
      assert.deepEqual(list.texts(), ['a'], 'reads go on');
      assert.equal(log.health().refusedAppends, 3);
      assert.equal(log.health().status, 'open');
      await put('fits');
      disk.capacity = Number.POSITIVE_INFINITY;
      await put('e');
      await log.close();
      assert.deepEqual((await reopen(disk)).texts, ['a', 'e', 'fits']);
    }
  });

  it('F14 a reader never sees a group that was rolled back and overwritten', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const disk = new FaultDisk(seed);
      const writer = await openOn(disk);
      const reader = await openOn(disk, { readOnly: true });
      await writer.put('a');
      disk.capacity = disk.used() + 900;
      const refused = texts('refused', 4, 300).map((text) => writer.put(text).catch(() => {}));
      await reader.log.refresh();
      await Promise.all(refused);
      disk.capacity = Number.POSITIVE_INFINITY;
      await reader.log.refresh();
      await writer.put('b');
      await reader.log.refresh();
      assert.deepEqual(reader.list.texts(), ['a', 'b'], `seed ${seed}`);
    }
  });

  it('F14 opens a log with a torn tail though there is no room for a copy of it', async () => {
    const disk = await diskWith(['a', 'b'.padEnd(1000)]);
    disk.change(segmentFile(disk), (bytes) => bytes.subarray(0, bytes.length - 100));
    const torn = disk.read(segmentFile(disk));
    disk.capacity = disk.used();
    const { log, list, put } = await openOn(disk);
    assert.deepEqual(list.texts(), ['a']);
    assert.ok(log.health().tornBytes > 900);
    assert.deepEqual(disk.read(segmentFile(disk)), torn, 'it stays where it is');
    await assert.rejects(put('c'), withCode('TW_LOG_NO_SPACE'));
    disk.capacity = Number.POSITIVE_INFINITY;
    await put('d');
    await log.close();
    assert.deepEqual((await reopen(disk)).texts, ['a', 'd']);
  });

  it('F14 no room for the next segment keeps the present one going', async () => {
    const disk = new FaultDisk(1);
    const { log, put } = await openOn(disk, SMALL);
    await put('a'.padEnd(60_000));
    disk.fault = (operation, path) =>
      operation === 'open' && path.endsWith('2.log') ? fileError('ENOSPC') : undefined;
    await put('b'.padEnd(60_000));
    assert.equal(log.health().segments, 1);
    disk.fault = () => undefined;
    for (const text of texts('c', 30, 60_000)) await put(text);
    assert.ok(log.health().segments > 10);
    await log.close();
    assert.equal((await reopen(disk)).texts.length, 32);
  });

  it('F14 no first segment refuses what came, and the next append tries again', async () => {
    for (const [operation, error] of [
      ['open', 'EMFILE'],
      ['open', 'ENOSPC'],
      ['syncDirectory', 'EIO'],
    ] as const) {
      for (const sync of [false, true]) {
        const disk = new FaultDisk(1);
        const { log, put } = await openOn(disk);
        const directory = `/store/log/${log.writer}`;
        disk.fault = once(operation, operation === 'open' ? '.log' : directory, fileError(error)).when;
        const code = error === 'ENOSPC' ? 'TW_LOG_NO_SPACE' : 'TW_LOG_WRITE_FAILED';
        if (sync) assert.throws(() => log.appendSync(FrameKind.TRACES, Buffer.from('a')), withCode(code));
        else await assert.rejects(put('a'), withCode(code));
        await put('b');
        disk.cutPower('lost');
        assert.deepEqual((await reopen(disk)).texts, ['b']);
      }
    }
  });

  it('F15 refuses a group whose sync failed, and every write until reopened', async () => {
    const disk = new FaultDisk(1);
    const { log, list, put } = await openOn(disk);
    await put('a');
    disk.fault = once('sync', '.log', fileError('EIO')).when;
    const refused = texts('refused', 2, 3000);
    for (const promise of refused.map(put)) {
      await assert.rejects(promise, withCode('TW_LOG_REFUSED', /reopen/));
    }
    await assert.rejects(put('d'), withCode('TW_LOG_REFUSED'));
    assert.throws(() => log.appendSync(FrameKind.TRACES, Buffer.from('e')), withCode('TW_LOG_REFUSED'));
    await assert.rejects(log.flush(), withCode('TW_LOG_REFUSED'));
    assert.equal(log.health().status, 'refusing-writes');
    assert.deepEqual(list.texts(), ['a']);
    await log.close();

    // What was refused is unknown: it may come back, but as a whole and then for good, though the operating
    // system believes that the pages are clean.
    const again = await openOn(disk);
    assert.deepEqual(again.list.texts(), ['a', ...refused]);
    await again.put('f');
    disk.cutPower('lost');
    assert.deepEqual((await reopen(disk)).texts, ['a', 'f', ...refused]);
  });

  it('F15 a sync that fails on the timer refuses the next append', async () => {
    const disk = new FaultDisk(1);
    const { log, put } = await openOn(disk, { durability: 'interval', syncIntervalMs: 1 });
    disk.fault = once('sync', '.log', fileError('EIO')).when;
    await put('a');
    while (log.health().status === 'open') await new Promise((resolve) => setTimeout(resolve, 1));
    await assert.rejects(put('b'), withCode('TW_LOG_REFUSED'));
  });
});

describe('formats and indexers', () => {
  it('F16 stops at a newer segment or frame, or an unknown kind, and changes nothing', async () => {
    for (const [what, at] of [
      ['segment', 4],
      ['version', 4],
      ['kind', 5],
      ['flags', 6],
    ] as const) {
      const disk = await diskWith(['a', 'b']);
      const path = segmentFile(disk);
      disk.change(path, (bytes) => {
        const last = framesOf(bytes).at(-1)!;
        const view = new DataView(bytes.buffer);
        if (what === 'segment') return bytes.fill(2, at, at + 1);
        bytes[last.at + at] = what === 'kind' ? 77 : 2;
        const length = view.getUint32(last.at + 32, true);
        const payloadAt = last.at + FRAME_HEADER_BYTES;
        const crc = crc32(
          bytes.subarray(last.at, last.at + 36),
          crc32(bytes.subarray(payloadAt, payloadAt + length)),
        );
        view.setUint32(last.at + 36, crc, true);
        return bytes;
      });
      const before = disk.read(path);
      await assert.rejects(openOn(disk), withCode('TW_LOG_FORMAT', /0000000001\.log/), what);
      await assert.rejects(openOn(disk, { recovery: 'salvage' }), withCode('TW_LOG_FORMAT'), what);
      assert.deepEqual(disk.read(path), before, what);
    }
  });

  it('F18 has the same frames after a crash at any moment of the replay, and after many replays', async () => {
    const acknowledged = texts('a', 30, 10_000).sort();
    for (let crashAt = 1; crashAt <= 40; crashAt++) {
      const disk = await diskWith(acknowledged, crashAt, SMALL);
      disk.change(segmentFile(disk, 5), (bytes) => bytes.subarray(0, bytes.length - 3));
      const survivors = acknowledged.length - 1;
      let operations = 0;
      disk.fault = () => (++operations >= crashAt * 3 ? fileError('EIO') : undefined);
      const first = await openOn(disk).catch(() => undefined);
      if (first) await new Promise((resolve) => setImmediate(resolve));
      disk.fault = () => undefined;
      disk.cutPower(crashAt % 2 ? 'lost' : 'shuffled');
      for (let times = 0; times < 2; times++) {
        const { texts: found } = await reopen(disk);
        assert.equal(found.length, survivors, `crash at ${crashAt}`);
      }
    }
  });

  it('F19 offers a frame again that the indexer did not take, before any later one', async () => {
    const disk = new FaultDisk(1);
    const { log, list, put } = await openOn(disk);
    await put('a');
    list.fail = (text) => (text === 'b' ? new Error('out of memory') : undefined);
    await assert.rejects(put('b'), withCode('TW_LOG_APPLY_FAILED', /out of memory.*safe in the log/));
    await assert.rejects(put('c'), withCode('TW_LOG_APPLY_FAILED'));
    assert.deepEqual(list.texts(), ['a']);
    assert.match(String(log.health().applyError), /out of memory/);
    list.fail = () => undefined;
    await put('d');
    assert.deepEqual(list.texts(), ['a', 'b', 'c', 'd']);
    assert.equal(log.health().applyError, undefined);

    list.fail = (text) => (text === 'f' ? new Error('again') : undefined);
    const group = ['e', 'f', 'g'].map(put);
    await group[0];
    await assert.rejects(group[1]!, withCode('TW_LOG_APPLY_FAILED'));
    await assert.rejects(group[2]!, withCode('TW_LOG_APPLY_FAILED'));
    list.fail = () => undefined;
    await log.refresh();
    assert.deepEqual(list.texts(), ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
    disk.kill();
    assert.deepEqual((await reopen(disk)).texts, ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('F19 does not skip a frame over the end of a segment either', async () => {
    const disk = new FaultDisk(1);
    const { log, list, put } = await openOn(disk, SMALL);
    list.fail = (text) => (text.startsWith('a3 ') ? new Error('not now') : undefined);
    const all = texts('a', 30, 10_000);
    for (const text of all) await put(text).catch(() => {});
    assert.equal(list.texts().length, 3);
    list.fail = () => undefined;
    await log.refresh();
    assert.deepEqual(list.texts(), all.toSorted());
    await log.close();
    const again = await openOn(disk);
    assert.ok(again.list.loaded.length > 0);
    assert.deepEqual(again.list.texts(), all.toSorted());
  });

  it('F20 gives up a group that has no end, in bounded memory', async () => {
    const disk = await diskWith(['a']);
    disk.change(segmentFile(disk), (bytes) => {
      const { id } = parseSegmentHeader(bytes.subarray(0, SEGMENT_HEADER_BYTES)) as SegmentHeader;
      const payload = new Uint8Array(1024 * 1024);
      const frames = Array.from({ length: 20 }, (_, i) => {
        const frame = new Uint8Array(FRAME_HEADER_BYTES + payload.length);
        const fields = { kind: FrameKind.TRACES, endsGroup: false, sequence: 2 + i, durableMark: 0 };
        writeFrameHeader(frame, 0, id, { ...fields, payloadLength: payload.length }, crc32(payload));
        return frame;
      });
      return new Uint8Array(Buffer.concat([bytes, ...frames]));
    });
    const { texts: found, health } = await reopen(disk);
    assert.deepEqual(found, ['a']);
    assert.ok(health.tornBytes > 19 * 1024 * 1024);
  });

  it('F20 opens a log in memory that does not grow with it', async () => {
    const disk = new FaultDisk(1);
    const { log } = await openOn(disk, { segmentBytes: 1024 * 1024, durability: 'none' });
    const payload = new Uint8Array(256 * 1024).fill(97);
    for (let i = 0; i < 200; i++) await log.append(FrameKind.TRACES, payload);
    disk.kill();
    let peak = 0;
    const before = process.memoryUsage().arrayBuffers;
    const { log: again } = await openOn(
      disk,
      { verify: true },
      Object.assign(new FrameList(), {
        addFrame: () => {
          peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
        },
        save: () => undefined,
      }),
    );
    await again.close();
    // 50 MiB of frames, read through a buffer of 1 MiB; the rest waits for the garbage collector.
    assert.ok(peak < 24 * 1024 * 1024, `${peak} bytes`);
  });
});
