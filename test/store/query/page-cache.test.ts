import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SegmentIndex } from '../../../packages/store/src/hot/spans/segment-index.ts';
import { PageCache } from '../../../packages/store/src/query/page-cache.ts';

/** A segment whose bytes follow from their place, of more pages than the cache has room for. */
function segment(seed: number) {
  const state = { bytes: 0, reads: 0, failNext: false };
  const index = new SegmentIndex({
    writer: 'a',
    number: seed,
    id: String(seed),
    sealed: false,
    get bytes() {
      return state.bytes;
    },
    read(offset, length) {
      assert.ok(offset >= 0 && offset + length <= state.bytes, 'read behind the end');
      state.reads++;
      return Uint8Array.from({ length }, (_, at) => byteAt(seed, offset + at));
    },
    fill(target, offset) {
      if (state.failNext) {
        state.failNext = false;
        target.fill(0xff, 0, target.length >> 1);
        throw new Error('input/output error');
      }
      target.set(this.read(offset, target.length));
    },
  });
  return { index, state };
}

function byteAt(seed: number, offset: number): number {
  return (Math.imul(offset ^ (offset >>> 12), 0x9e3779b1) + seed) >>> 24;
}

test('what is read through the cache is what the segment holds, however it grows and pages collide', () => {
  const page = fc.oneof(fc.nat(3), fc.constantFrom(4096, 4097, 8192, 8193));
  const part = fc.record({
    which: fc.nat(1),
    page,
    at: fc.nat(4095),
    length: fc.integer({ min: 1, max: 9000 }),
  });
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const cache = new PageCache();
      const segments = [segment(1), segment(2)];
      for (const { which, page, at, length } of parts) {
        const { index, state } = segments[which]!;
        const offset = page * 4096 + at;
        state.bytes = Math.max(state.bytes, offset + length);
        const from = cache.locate(index, offset, length);
        const expected = Uint8Array.from({ length }, (_, byte) => byteAt(which + 1, offset + byte));
        assert.deepEqual(cache.bytes.slice(from, from + length), expected);
      }
    }),
  );
});

test('a page is read once', () => {
  const cache = new PageCache();
  const { index, state } = segment(1);
  state.bytes = 1 << 20;
  for (let round = 0; round < 3; round++)
    for (let at = 0; at < 40_000; at += 500) cache.locate(index, at, 500);
  assert.equal(state.reads, 10);
});

test('a page whose reading failed half way is read again, and so is the one that stood in its place', () => {
  const cache = new PageCache();
  const { index, state } = segment(1);
  // These two pages fall on the same slot.
  state.bytes = 4096 * 4096 + 4096;
  cache.locate(index, 0, 100);
  state.failNext = true;
  assert.throws(() => cache.locate(index, 4096 * 4096, 100), /input\/output/);
  for (const offset of [0, 4096 * 4096]) {
    const at = cache.locate(index, offset, 100);
    assert.deepEqual(
      cache.bytes.slice(at, at + 100),
      Uint8Array.from({ length: 100 }, (_, byte) => byteAt(1, offset + byte)),
    );
  }
});
