import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeTraces } from '@tracewell/otlp';
import { HotTier } from '../../../packages/store/src/hot/hot-tier.ts';
import { FrameKind, type Segment } from '../../../packages/store/src/log/types.ts';
import { span } from '../query/spans.ts';

const SEGMENT: Segment = {
  writer: 'a',
  number: 1,
  id: 'a-1',
  sealed: true,
  bytes: 64,
  read: () => assert.fail('nothing to read'),
  fill: () => assert.fail('nothing to read'),
};

test('a frame that holds no OTLP is counted and passed over; the next one is taken', () => {
  const hot = new HotTier();
  hot.addFrame(SEGMENT, 100, Uint8Array.of(0x0a, 0x7f, 1, 2, 3), FrameKind.TRACES, 1);
  hot.addFrame(SEGMENT, 200, encodeTraces([span()]), FrameKind.TRACES, 2);
  assert.equal(hot.unreadableFrames, 1);
  assert.equal(hot.spans.spanCount(), 1);
});

test('what was saved is loaded; another version, a part, or a section that nobody knows, is refused', () => {
  const hot = new HotTier();
  hot.addFrame(SEGMENT, 100, encodeTraces([span()]), FrameKind.TRACES, 1);
  const whole = new Uint8Array(Buffer.concat(hot.save(SEGMENT)));
  const load = (bytes: Uint8Array): number | false => {
    const other = new HotTier();
    return other.load(SEGMENT, bytes) && other.spans.spanCount();
  };
  assert.equal(load(whole.slice()), 1);
  // The version of the file, and the kind of its first section.
  for (const at of [4, 16]) {
    const changed = whole.slice();
    changed[at] = 99;
    assert.equal(load(changed), false, `byte ${at}`);
  }
  for (let length = 0; length < whole.length; length += 8) {
    assert.equal(load(whole.slice(0, length)), false, `${length} bytes`);
  }
});
