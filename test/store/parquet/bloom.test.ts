import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BloomFilter } from '../../../packages/store/src/parquet/bloom.ts';
import { ParquetFile } from '../../../packages/store/src/parquet/file.ts';
import { ParquetWriter } from '../../../packages/store/src/parquet/writer.ts';
import { hash, xxhash64 } from '../../../packages/store/src/parquet/xxhash.ts';
import { MemorySink, memoryFile } from './memory-file.ts';

function hashed(text: string): string {
  const bytes = Buffer.from(text);
  xxhash64(bytes, 0, bytes.length);
  return hash.high.toString(16).padStart(8, '0') + hash.low.toString(16).padStart(8, '0');
}

// XXH64 straight from its specification, with bigints.
function slowHash(bytes: Uint8Array): string {
  const [p1, p2, p3, p4, p5] = [
    0x9e3779b185ebca87n,
    0xc2b2ae3d27d4eb4fn,
    0x165667b19e3779f9n,
    0x85ebca77c2b2ae63n,
    0x27d4eb2f165667c5n,
  ] as const;
  const wrap = (value: bigint): bigint => BigInt.asUintN(64, value);
  const rotate = (value: bigint, bits: bigint): bigint => wrap((value << bits) | (value >> (64n - bits)));
  const round = (sum: bigint, input: bigint): bigint => wrap(rotate(wrap(sum + input * p2), 31n) * p1);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let result: bigint = p5;
  if (bytes.length >= 32) {
    const lanes = [wrap(p1 + p2), p2, 0n, wrap(-p1)];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++)
        lanes[lane] = round(lanes[lane]!, view.getBigUint64(at + 8 * lane, true));
    }
    result = wrap([1n, 7n, 12n, 18n].reduce((sum, bits, lane) => sum + rotate(lanes[lane]!, bits), 0n));
    for (const lane of lanes) result = wrap((result ^ round(0n, lane)) * p1 + p4);
  }
  result = wrap(result + BigInt(bytes.length));
  for (; at + 8 <= bytes.length; at += 8)
    result = wrap(rotate(result ^ round(0n, view.getBigUint64(at, true)), 27n) * p1 + p4);
  if (at + 4 <= bytes.length) {
    result = wrap(rotate(result ^ wrap(BigInt(view.getUint32(at, true)) * p1), 23n) * p2 + p3);
    at += 4;
  }
  for (; at < bytes.length; at++) result = wrap(rotate(result ^ wrap(BigInt(bytes[at]!) * p5), 11n) * p1);
  result = wrap((result ^ (result >> 33n)) * p2);
  result = wrap((result ^ (result >> 29n)) * p3);
  return (result ^ (result >> 32n)).toString(16).padStart(16, '0');
}

test('hashes are those of XXH64', () => {
  // From the specification's own sanity checks.
  assert.equal(hashed(''), 'ef46db3751d8e999');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      xxhash64(bytes, 0, bytes.length);
      const got = hash.high.toString(16).padStart(8, '0') + hash.low.toString(16).padStart(8, '0');
      assert.equal(got, slowHash(bytes));
    }),
  );
});

test('a filter has all values that were added, and hardly any other', () => {
  const filter = BloomFilter.for(10_000);
  const bytes = (number: number): Uint8Array => Buffer.from(`value ${number}`);
  for (let number = 0; number < 10_000; number++) filter.add(bytes(number), 0, bytes(number).length);
  for (let number = 0; number < 10_000; number++) assert.ok(filter.mayHave(bytes(number)));
  let wrong = 0;
  for (let number = 10_000; number < 30_000; number++) if (filter.mayHave(bytes(number))) wrong++;
  assert.ok(wrong < 200, `${wrong} of 20,000`);
});

test('the filter of a file has the values of its row group, plain and by dictionary', () => {
  const texts = (list: readonly string[]) => {
    const bytes = Buffer.from(list.join(''));
    const offsets = new Uint32Array(list.length + 1);
    for (const [index, text] of list.entries())
      offsets[index + 1] = offsets[index]! + Buffer.byteLength(text);
    return { bytes, offsets };
  };
  const sink = new MemorySink();
  const writer = new ParquetWriter(sink, [
    { name: 'plain', type: 'string', bloomFilter: true },
    { name: 'coded', type: 'string', bloomFilter: true },
    { name: 'bare', type: 'string' },
  ]);
  for (const list of [
    ['a', 'b', 'b'],
    ['c', 'd', 'e'],
  ]) {
    writer.writeRowGroup(3, {
      plain: { values: texts(list) },
      coded: { values: { codes: Uint32Array.of(0, 1, 2), dictionary: texts(list) } },
      bare: { values: texts(list) },
    });
  }
  writer.finish();
  const file = ParquetFile.open(memoryFile(sink.bytes()), 'x');
  for (const column of ['plain', 'coded']) {
    for (const [group, expected] of ['ab', 'cde'].entries()) {
      for (const text of 'abcde') {
        assert.equal(
          file.mayHave(group, column, Buffer.from(text)),
          expected.includes(text),
          `${column} ${text}`,
        );
      }
    }
  }
  assert.ok(file.mayHave(0, 'bare', Buffer.from('z')), 'a column without a filter may have anything');
});
