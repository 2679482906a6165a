import { MetricScanner } from '@tracewell/otlp';
import { REQUEST_WORDS, RequestRuns } from '../request-runs.ts';
import { ArrayReader, ArrayWriter, CutShortError } from '../saved-arrays.ts';
import { PointBlock, pointBlockBytes } from './block.ts';
import type { SeriesTable } from './series-table.ts';

/**
 * The index of a segment's data points as bytes. Little-endian; every part starts at a multiple of 8, so that columns
 * are used where they were read.
 *
 * ```
 * header      Uint32 x 6: magic, version, blocks, streams, series, bytes of labels
 * stream      Uint32: length of what follows; an OTLP metrics request with the stream and a point that says nothing
 * series      Uint32 x 4 for each: its stream, the length of its labels, the two halves of its id
 * labels      the labels of those series, as fields of a point, one after the other
 * block       Uint32 x 4: rows, series, runs of requests, 0
 *             Float64 x 2: earliest and latest time
 *             Uint32, Uint16 x series: index into the series of the file, last row plus 1
 *             Uint16, Uint32 x REQUEST_WORDS x runs of requests: first rows, those of request-runs.ts
 *             the arrays as in block.ts
 * ```
 */
const MAGIC = 0x504d5754;
const VERSION = 1;
const HEADER_WORDS = 6;
const SERIES_WORDS = 4;
const BLOCK_WORDS = 4;

/** The pieces of the file. The blocks must be trimmed. */
export function savePointIndex(blocks: readonly PointBlock[], table: SeriesTable): readonly Uint8Array[] {
  const seriesNumbers = new Map<number, number>();
  const streamNumbers = new Map<number, number>();
  for (const block of blocks) {
    for (const series of block.seriesNumbers) {
      if (seriesNumbers.has(series)) continue;
      seriesNumbers.set(series, seriesNumbers.size);
      const stream = table.streamOf(series);
      if (!streamNumbers.has(stream)) streamNumbers.set(stream, streamNumbers.size);
    }
  }
  const series = new Uint32Array(seriesNumbers.size * SERIES_WORDS);
  const labels: Uint8Array[] = [];
  for (const [number, at] of seriesNumbers) {
    const bytes = table.labelBytes(number);
    const { high, low } = table.id(number);
    series.set([streamNumbers.get(table.streamOf(number))!, bytes.length, high, low], at * SERIES_WORDS);
    labels.push(bytes);
  }
  const labelBytes = Buffer.concat(labels);

  const file = new ArrayWriter();
  file.push(
    Uint32Array.of(MAGIC, VERSION, blocks.length, streamNumbers.size, seriesNumbers.size, labelBytes.length),
  );
  for (const stream of streamNumbers.keys()) {
    const bytes = table.streamBytes(stream);
    file.push(Uint32Array.of(bytes.length));
    file.push(bytes);
  }
  file.push(series);
  file.push(labelBytes);
  for (const block of blocks) {
    const { count, seriesCount, requests } = block;
    file.push(Uint32Array.of(count, seriesCount, requests.count, 0));
    file.push(Float64Array.of(block.minTime, block.maxTime));
    file.push(block.seriesNumbers.map((number) => seriesNumbers.get(number)!));
    file.push(block.lastRows);
    file.push(requests.rows);
    file.push(requests.savedWords());
    file.push(new Uint8Array(block.buffer, block.records.byteOffset, pointBlockBytes(count)));
  }
  return file.pieces;
}

/**
 * Takes a saved index into use where it lies.
 *
 * @param bytes - aligned to 8; become part of the blocks
 * @returns `undefined` if another version wrote it, or its lengths do not fit
 */
export function loadPointIndex(bytes: Uint8Array, table: SeriesTable): PointBlock[] | undefined {
  try {
    const file = new ArrayReader(bytes);
    const [magic, version, blockCount, streamCount, seriesCount, labelBytes] = file.uint32(HEADER_WORDS);
    if (magic !== MAGIC || version !== VERSION) return undefined;
    const streams = readStreams(file, streamCount!, table);
    const series = file.uint32(seriesCount! * SERIES_WORDS);
    const labels = file.uint8(labelBytes!);
    const numbers = readSeries(series, labels, streams, table);
    const blocks: PointBlock[] = [];
    for (let index = 0; index < blockCount!; index++) blocks.push(readBlock(file, numbers));
    return blocks;
  } catch (error) {
    if (error instanceof CutShortError) return undefined;
    throw error;
  }
}

function readStreams(file: ArrayReader, count: number, table: SeriesTable): number[] {
  const scanner = new MetricScanner();
  const streams: number[] = [];
  for (let index = 0; index < count; index++) {
    const [length] = file.uint32(1);
    scanner.reset(file.uint8(length!));
    if (!scanner.next()) throw new CutShortError();
    streams.push(table.stream(scanner, true));
  }
  return streams;
}

function readSeries(
  series: Uint32Array,
  labels: Uint8Array,
  streams: readonly number[],
  table: SeriesTable,
): Uint32Array {
  const numbers = new Uint32Array(series.length / SERIES_WORDS);
  let labelsAt = 0;
  for (let index = 0; index < numbers.length; index++) {
    const [stream, length, high, low] = series.subarray(index * SERIES_WORDS, (index + 1) * SERIES_WORDS);
    const own = labels.subarray(labelsAt, labelsAt + length!);
    numbers[index] = table.restore(streams[stream!]!, own, { high: high!, low: low! });
    labelsAt += length!;
  }
  return numbers;
}

function readBlock(file: ArrayReader, numbers: Uint32Array): PointBlock {
  const [rows, seriesCount, requestRuns] = file.uint32(BLOCK_WORDS);
  const [minTime, maxTime] = file.float64(2);
  const seriesNumbers = file.uint32(seriesCount!);
  const lastRows = file.uint16(seriesCount!);
  const requests = new RequestRuns(
    file.uint16(requestRuns!),
    file.uint32(requestRuns! * REQUEST_WORDS),
    requestRuns,
  );
  const { buffer, byteOffset } = file.block(pointBlockBytes(rows!));

  const block = new PointBlock(rows, buffer, byteOffset);
  block.count = rows!;
  block.minTime = minTime!;
  block.maxTime = maxTime!;
  block.seriesNumbers = seriesNumbers;
  block.lastRows = lastRows;
  block.seriesCount = seriesCount!;
  for (let own = 0; own < seriesNumbers.length; own++) seriesNumbers[own] = numbers[seriesNumbers[own]!]!;
  block.requests = requests;
  return block;
}
