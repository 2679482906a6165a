import assert from 'node:assert/strict';
import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openLog } from '../../../packages/store/src/log/log.ts';
import { FrameKind, type Segment } from '../../../packages/store/src/log/types.ts';
import { type FollowOptions, follow } from '../../../packages/store/src/tails/follow.ts';
import { FrameSignal } from '../../../packages/store/src/tails/frame-signal.ts';
import { Tails } from '../../../packages/store/src/tails/tails.ts';
import { newDirectory } from '../engine/directory.ts';

const NOTHING = { addFrame: () => {}, load: () => false, save: () => undefined, remove: () => {} };
const FRAME = new Uint8Array(10_000);

/** A log of several small segments, oldest first. */
async function open(t: TestContext) {
  const directory = newDirectory(t);
  const log = await openLog(directory, NOTHING, { segmentBytes: 64 * 1024 });
  const tails = new Tails(directory, false, log, new FrameSignal());
  t.after(async () => {
    await tails.stop();
    await log.close();
  });
  const append = async (frames: number): Promise<void> => {
    for (let n = 0; n < frames; n++) await log.append(FrameKind.TRACES, FRAME);
  };
  const sealed = (): Segment[] => [...log.segments()].filter((segment) => segment.sealed);
  const remove = async (segment: Segment): Promise<void> => {
    tails.released(segment);
    unlinkSync(join(directory, 'log', segment.writer, `${String(segment.number).padStart(10, '0')}.log`));
    await log.refresh();
  };
  return { log, tails, append, sealed, remove };
}

/** Runs a tail to the end of the log and stops it. */
async function run(tails: Tails, options?: FollowOptions): Promise<number> {
  let frames = 0;
  const count = async (some: readonly unknown[]): Promise<void> => {
    frames += some.length;
  };
  const tail = follow(tails, 'one', count, options);
  await tail.flush();
  await tail.stop();
  return frames;
}

test('a segment that a tail has not had stays, one that all have had may go', async (t) => {
  const { tails, append, sealed } = await open(t);
  await append(20);
  assert.equal(sealed().length, 3);
  assert.deepEqual(
    sealed().map((segment) => tails.holds(segment)),
    [false, false, false],
  );
  assert.equal(await run(tails), 20);
  assert.deepEqual(
    sealed().map((segment) => tails.holds(segment)),
    [false, false, false],
  );
  await append(20);
  assert.deepEqual(
    sealed().map((segment) => tails.holds(segment)),
    [false, false, false, true, true, true],
  );
  assert.equal(await tails.remove('one'), true);
  assert.ok(sealed().every((segment) => !tails.holds(segment)));
});

test('a tail that is further behind than its bound holds the newest part; what it misses is counted and passed over', async (t) => {
  const { tails, append, sealed, remove } = await open(t);
  await append(6);
  assert.equal(await run(tails, { retainBytes: 150_000 }), 6);
  await append(24);
  const lag = tails.health()[0]!.lagBytes;
  assert.ok(lag > 150_000);
  // Asked about all of them at once, as compaction does: the older ones may go, the newer ones stay.
  const held = sealed().map((segment) => tails.holds(segment));
  assert.deepEqual(held, held.toSorted());
  assert.deepEqual([held[0], held.at(-1)], [false, true]);
  let missed = 0;
  for (let segment = sealed()[0]!; !tails.holds(segment); segment = sealed()[0]!) {
    await remove(segment);
    missed += lag - missed - tails.health()[0]!.lagBytes;
  }
  const [health] = tails.health();
  assert.ok(missed > 60_000, `${missed}`);
  assert.equal(health!.missedBytes, missed);
  assert.equal(health!.lagBytes + health!.missedBytes, lag);
  assert.ok(health!.lagBytes <= 150_000);
  const rest = await run(tails);
  assert.equal(rest, Math.round(health!.lagBytes / 10_040));
});

test('a log that was compacted away as a whole and counts from 1 again is delivered from its start', async (t) => {
  const directory = newDirectory(t);
  let frames = 0;
  for (let life = 0; life < 2; life++) {
    const log = await openLog(directory, NOTHING, { segmentBytes: 64 * 1024 });
    const tails = new Tails(directory, false, log, new FrameSignal());
    for (let n = 0; n < (life === 0 ? 20 : 8); n++) await log.append(FrameKind.TRACES, FRAME);
    const segments = [...log.segments()];
    frames = await run(tails);
    await tails.stop();
    await log.close();
    for (const { writer, number } of segments) {
      unlinkSync(join(directory, 'log', writer, `${String(number).padStart(10, '0')}.log`));
    }
  }
  assert.equal(frames, 8);
});
