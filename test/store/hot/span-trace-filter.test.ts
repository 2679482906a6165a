import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Block, RECORD_WORDS } from '../../../packages/store/src/hot/spans/block.ts';
import { WORD_TRACE_HIGH, WORD_TRACE_LOW } from '../../../packages/store/src/hot/spans/row.ts';
import { TraceFilter } from '../../../packages/store/src/hot/spans/trace-filter.ts';

type TraceId = readonly [high: number, low: number];

function blockOf(traces: readonly TraceId[]): Block {
  const block = new Block(1, traces.length);
  for (const [row, [high, low]] of traces.entries()) {
    block.records[row * RECORD_WORDS + WORD_TRACE_HIGH] = high;
    block.records[row * RECORD_WORDS + WORD_TRACE_LOW] = low;
    block.count++;
  }
  return block;
}

const half = fc.oneof(fc.nat(0xffff_ffff), fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff));
const traceIds = fc.array(fc.tuple(half, half), { minLength: 1, maxLength: 20 });

test('the trace filter never rules out a block that has the trace, nor one that still grows', () => {
  fc.assert(
    fc.property(fc.array(traceIds, { minLength: 1, maxLength: 12 }), (blocks) => {
      const filter = new TraceFilter();
      for (const traces of blocks) filter.add(blockOf(traces));
      const saved = new TraceFilter(filter.slots, filter.blocks);
      for (const [number, traces] of blocks.entries()) {
        for (const [high, low] of traces) {
          assert.ok(filter.mayHave(number, high, low));
          assert.ok(saved.mayHave(number, high, low));
          assert.ok(saved.mayHave(blocks.length, high, low));
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('the trace filter rules out nearly all blocks that do not have the trace', () => {
  const filter = new TraceFilter();
  const blocks = Array.from({ length: 4 }, (_, block) =>
    Array.from({ length: 8192 }, (_, trace): TraceId => [block * 8192 + trace, 7]),
  );
  for (const traces of blocks) filter.add(blockOf(traces));
  let wrong = 0;
  for (const [block, traces] of blocks.entries()) {
    for (const [high, low] of traces) if (filter.mayHave((block + 1) % 4, high, low)) wrong++;
  }
  assert.ok(wrong < 4 * 8192 * 0.05, `${wrong} of ${4 * 8192}`);
});
