import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { frameBytes } from '../../packages/store/src/log/frame.ts';
import { SEGMENT_HEADER_BYTES } from '../../packages/store/src/log/segment-header.ts';
import type { Log, LogOptions } from '../../packages/store/src/log/types.ts';
import { FaultDisk, fileError } from './fault-disk.ts';
import { FrameList, openOn, texts } from './frame-list.ts';

const RATE = 1024 * 1024;
const OPTIONS = { segmentBytes: 64 * 1024, scrubBytesPerSecond: RATE } satisfies LogOptions;
const DAY_MS = 24 * 60 * 60 * 1000;
const FRAME = frameBytes(10_000);

/** A clock whose waits are over at once, and are kept. */
class Waits {
  readonly all: number[] = [];

  readonly wait = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
    this.all.push(milliseconds);
    await setImmediate(undefined, { signal });
  };

  /** Resolves when so many segments have been checked, and there is nothing more to do. */
  async until(log: Log<string>, segments: number): Promise<void> {
    while (log.health().scrub.segments < segments) await setImmediate();
    const { length } = this.all;
    while (!this.all.slice(length).includes(60_000)) await setImmediate();
    assert.equal(log.health().scrub.segments, segments);
  }
}

/** A log of 40 frames in 7 segments, all sealed, that is open again; with its clock. */
async function reopened(disk: FaultDisk, damage = (_: FaultDisk): void => {}) {
  const first = await openOn(disk, OPTIONS);
  for (const text of texts('a', 40, 10_000)) await first.put(text);
  await first.log.close();
  damage(disk);
  const waits = new Waits();
  const again = await openOn(disk, OPTIONS, new FrameList(), disk.boot(), waits.wait);
  assert.equal(again.list.added, 0, 'all segments were opened by their indexes');
  return { ...again, waits };
}

function segmentFile(disk: FaultDisk, number: number): string {
  return disk.files().filter((path) => path.endsWith('.log'))[number - 1]!;
}

function flip(disk: FaultDisk, path: string, at: number, bit: number): void {
  disk.change(path, (bytes) => {
    bytes[at]! ^= 1 << bit;
    return bytes;
  });
}

describe('checking sealed segments in the background', () => {
  it('finds nothing in a sound log, looks at each segment once a day, and keeps to its rate', async () => {
    const disk = new FaultDisk(1);
    const { log, waits } = await reopened(disk);
    await waits.until(log, 7);
    const { scrub, bytes } = log.health();
    assert.deepEqual(scrub.damaged, []);
    assert.equal(scrub.bytes, bytes);
    assert.equal(waits.all[0], 10_000, 'it leaves the start of a program alone');
    const paced = waits.all.filter((milliseconds) => milliseconds < 10_000);
    const seconds = paced.reduce((sum, milliseconds) => sum + milliseconds, 0) / 1000;
    assert.ok(Math.abs(seconds - bytes / RATE) < 0.001, `${seconds}`);
    disk.nowMs += DAY_MS + 1000;
    await waits.until(log, 14);
    await log.close();
  });

  it('F07 finds a bit that has flipped anywhere in a segment that was opened by its index', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }),
        fc.nat(6 * FRAME - 1),
        fc.nat(7),
        async (number, at, bit) => {
          const disk = new FaultDisk(1);
          let path = '';
          const { log, waits } = await reopened(disk, () => {
            path = segmentFile(disk, number);
            flip(disk, path, SEGMENT_HEADER_BYTES + at, bit);
          });
          await waits.until(log, 7);
          const offset = SEGMENT_HEADER_BYTES + Math.floor(at / FRAME) * FRAME;
          assert.deepEqual(log.health().scrub.damaged, [{ path, offset }]);
          await log.close();
        },
      ),
      { numRuns: 40 },
    );
  });

  it('F07 finds a damaged header, a segment that became shorter, and one that the disk does not read', async () => {
    const disk = new FaultDisk(1);
    const { log, waits } = await reopened(disk);
    const [header, short, unread] = [1, 2, 3].map((number) => segmentFile(disk, number));
    flip(disk, header!, 20, 3);
    disk.change(short!, (bytes) => bytes.subarray(0, SEGMENT_HEADER_BYTES + FRAME + 100));
    disk.fault = (operation, path) =>
      operation === 'read' && path === unread ? fileError('EIO') : undefined;
    await waits.until(log, 7);
    assert.deepEqual(log.health().scrub.damaged, [
      { path: header, offset: 0 },
      { path: short, offset: SEGMENT_HEADER_BYTES + FRAME },
      { path: unread, offset: 0 },
    ]);
    await log.close();
  });

  it('takes frames that are larger than what it reads at a time', async () => {
    const disk = new FaultDisk(1);
    const first = await openOn(disk, OPTIONS);
    for (const text of texts('large', 3, 700_001)) await first.put(text);
    for (const text of texts('small', 3, 100)) await first.put(text);
    await first.log.close();
    const waits = new Waits();
    const { log, list } = await openOn(disk, OPTIONS, new FrameList(), disk.boot(), waits.wait);
    await waits.until(log, list.loaded.length);
    assert.deepEqual(log.health().scrub.damaged, []);
    assert.ok(list.loaded.length >= 3);
    await log.close();
  });

  it('is done by one process for the logs of those that have died, and by none that only reads', async () => {
    const disk = new FaultDisk(1);
    const writers = [await openOn(disk, OPTIONS), await openOn(disk, OPTIONS), await openOn(disk, OPTIONS)];
    for (const { put, log } of writers) {
      for (const text of texts('a', 12, 10_000)) await put(text);
      await log.close();
    }
    const waits = [new Waits(), new Waits()];
    const open = [];
    for (const { wait } of waits) open.push(await openOn(disk, OPTIONS, new FrameList(), disk.boot(), wait));
    const [a, b] = open.map(({ log }) => log);
    const first = a!.writer! < b!.writer! ? 0 : 1;
    await waits[first]!.until(open[first]!.log, 4);
    await waits[1 - first]!.until(open[1 - first]!.log, 2);
    const reader = new Waits();
    const { log } = await openOn(disk, { readOnly: true }, new FrameList(), disk.boot(), reader.wait);
    await setImmediate();
    assert.deepEqual(reader.all, []);
    for (const one of [log, ...open.map((each) => each.log)]) await one.close();
  });

  it('tells why it has ended by itself, and brings nothing else down', async () => {
    const disk = new FaultDisk(1);
    const { log } = await openOn(disk, OPTIONS, new FrameList(), disk.boot(), async () => {
      throw new Error('no clock');
    });
    while (log.health().scrub.error === undefined) await setImmediate();
    assert.match(log.health().scrub.error!.message, /no clock/);
    await log.close();
  });

  it('ends when the log is closed, and does not begin where it is switched off', async () => {
    const disk = new FaultDisk(1);
    const { log, waits } = await reopened(disk);
    while (log.health().scrub.bytes === 0) await setImmediate();
    await log.close();
    const { length } = waits.all;
    const off = await openOn(
      disk,
      { ...OPTIONS, scrubBytesPerSecond: 0 },
      new FrameList(),
      disk.boot(),
      waits.wait,
    );
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    assert.equal(waits.all.length, length);
    await off.log.close();
  });
});
