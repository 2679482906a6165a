import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import {
  emptyFrame,
  FRAME_HEADER_BYTES,
  frameBytes,
  MAX_PAYLOAD_BYTES,
  Parsed,
  parseFrame,
  writeFrameHeader,
} from '../../packages/store/src/log/frame.ts';
import {
  encodeSegmentHeader,
  parseSegmentHeader,
  SEGMENT_HEADER_BYTES,
} from '../../packages/store/src/log/segment-header.ts';
import { FrameKind } from '../../packages/store/src/log/types.ts';

const SEGMENT = { low: 0x89abcdef, high: 0xf1234567 };

function encode(payload: Uint8Array, fields = {}): Uint8Array {
  const bytes = new Uint8Array(frameBytes(payload.length));
  const frame = {
    kind: FrameKind.TRACES,
    endsGroup: true,
    sequence: 1,
    durableMark: 0,
    payloadLength: payload.length,
    ...fields,
  };
  writeFrameHeader(bytes, 0, SEGMENT, frame, crc32(payload));
  bytes.set(payload, FRAME_HEADER_BYTES);
  return bytes;
}

describe('a frame', () => {
  it('has the layout that the format says, byte for byte', () => {
    const bytes = encode(Buffer.from('abc'), { sequence: 0x0102030405, durableMark: 7, endsGroup: true });
    // Spelled out, and not taken from the code: this is what every later version must read.
    assert.equal(
      Buffer.from(bytes.subarray(0, 36)).toString('hex'),
      `f5545746${'01'}${'01'}${'0100'}efcdab89674523f1${'0504030201000000'}${'0700000000000000'}${'03000000'}`,
    );
    const crc = crc32(Buffer.concat([Buffer.from('abc'), bytes.subarray(0, 36)]));
    assert.equal(Buffer.from(bytes).readUInt32LE(36), crc);
    assert.equal(Buffer.from(bytes.subarray(40)).toString('latin1'), 'abc\0\0\0\0\0');
  });

  it('comes back as it was written, at any offset', () => {
    const number = fc.maxSafeNat();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        number,
        number,
        fc.boolean(),
        fc.constantFrom(...Object.values(FrameKind)),
        fc.nat({ max: 50 }),
        (payload, sequence, durableMark, endsGroup, kind, at) => {
          const fields = { sequence, durableMark, endsGroup, kind };
          const encoded = encode(payload, fields);
          const bytes = new Uint8Array(at + encoded.length + 9).fill(0xf5);
          bytes.set(encoded, at);
          const frame = emptyFrame();
          assert.equal(parseFrame(bytes, at, at + encoded.length, SEGMENT, frame), Parsed.WHOLE);
          assert.deepEqual(frame, { ...fields, payloadLength: payload.length });
          // Never whole with less than all of it, or as a frame of another segment.
          assert.equal(parseFrame(bytes, at, at + encoded.length - 1, SEGMENT, frame), Parsed.PARTIAL);
          const other = { low: SEGMENT.low ^ 1, high: SEGMENT.high };
          assert.equal(parseFrame(bytes, at, at + encoded.length, other, frame), Parsed.INVALID);
        },
      ),
    );
  });

  it('is not whole with any bit flipped', () => {
    const bytes = encode(Buffer.from('payload'));
    const frame = emptyFrame();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      assert.notEqual(parseFrame(flipped, 0, flipped.length, SEGMENT, frame), Parsed.WHOLE, `bit ${bit}`);
    }
  });

  it('F05 is never found in zeros, F08 never asks for more than a frame may have', () => {
    const frame = emptyFrame();
    for (const length of [0, 1, 39, 40, 4096]) {
      const parsed = parseFrame(new Uint8Array(length), 0, length, undefined, frame);
      assert.equal(parsed, length < FRAME_HEADER_BYTES ? Parsed.PARTIAL : Parsed.INVALID);
    }
    const bytes = encode(new Uint8Array(100));
    new DataView(bytes.buffer).setUint32(32, MAX_PAYLOAD_BYTES + 1, true);
    assert.equal(parseFrame(bytes, 0, bytes.length, SEGMENT, frame), Parsed.INVALID);
  });
});

describe('a segment header', () => {
  const header = { id: SEGMENT, number: 12, firstSequence: 2 ** 40, writer: '00112233445566ff' };

  it('comes back as it was written', () => {
    const bytes = encodeSegmentHeader(header);
    assert.equal(bytes.length, SEGMENT_HEADER_BYTES);
    assert.deepEqual(parseSegmentHeader(bytes), header);
    assert.equal(
      Buffer.from(bytes.subarray(0, 40)).toString('hex'),
      'f554575301000000efcdab89674523f10c000000000000000000000000010000' + '00112233445566ff',
    );
  });

  it('is empty, newer or invalid otherwise', () => {
    assert.equal(parseSegmentHeader(new Uint8Array(0)), 'empty');
    assert.equal(parseSegmentHeader(new Uint8Array(64)), 'empty');
    const bytes = encodeSegmentHeader(header);
    assert.equal(parseSegmentHeader(bytes.subarray(0, 63)), 'invalid');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
      assert.equal(typeof parseSegmentHeader(flipped), 'string', `bit ${bit}`);
    }
    bytes[4] = 2;
    assert.equal(parseSegmentHeader(bytes), 'newer');
  });
});
