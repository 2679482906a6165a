/**
 * What each signal brings to the cold tier. Compaction knows segments, files and partitions; what a row is, only
 * the folders of the signals know. A new signal is an entry of {@link WRITERS} and a case of {@link newRows}.
 */
import { type Comment, decodeComment } from '../comments/comment.ts';
import { requestId } from '../hot/request-id.ts';
import { FrameKind } from '../log/types.ts';
import type { ColdSignal } from '../meta/catalog.ts';
import { ParquetFile, type ReadableFile } from '../parquet/file.ts';
import type { Sink } from '../parquet/output.ts';
import type { PayloadMover } from '../payloads/move-out.ts';
import { allBlobNames, withNames } from '../payloads/names.ts';
import { writeCommentFile } from './comments/comment-file.ts';
import { readComments } from './comments/read-comments.ts';
import { LogFile } from './logs/log-file.ts';
import { LogSorter } from './logs/log-sorter.ts';
import { mergeLogFiles } from './logs/merge-log-files.ts';
import { writeLogFile } from './logs/write-log-file.ts';
import { mergeMetricFiles } from './metrics/merge-metric-files.ts';
import { MetricFile } from './metrics/metric-file.ts';
import { PointSorter } from './metrics/point-sorter.ts';
import { writeMetricFile } from './metrics/write-metric-file.ts';
import { hourOf, partitionOfHour } from './partition.ts';
import { rollUp } from './rollups/roll-up.ts';
import { shareRequests } from './shared-requests.ts';
import { shareSpans } from './shared-spans.ts';
import { mergeSpanFiles } from './spans/merge-span-files.ts';
import { SpanFile } from './spans/span-file.ts';
import { SpanSorter } from './spans/span-sorter.ts';
import { type SpanFileSummary, writeSpanFile } from './spans/write-span-file.ts';

/** An open file with its path, for messages. */
export interface OpenColdFile {
  readonly file: ReadableFile;
  readonly path: string;
}

/** What was written to a file. */
export interface Written {
  readonly rows: number;
  readonly minTime: bigint;
  readonly maxTime: bigint;
}

/** How files of a signal are made. */
export interface ColdWriter {
  /** Merges files into one, of copies of a row only the one that stands for it; `undefined` if there are no rows. */
  merge(
    files: readonly OpenColdFile[],
    sink: Sink,
    keyValues: ReadonlyMap<string, string>,
  ): Written | undefined;
  /** Whether two files may have a copy of the same row. */
  shareRows(file: OpenColdFile, other: OpenColdFile): boolean;
}

/** Rows of one signal and one partition, to be written to a file. */
export interface RowPart {
  readonly signal: ColdSignal;
  readonly partition: string;
  write(sink: Sink, keyValues: ReadonlyMap<string, string>): Written | undefined;
}

/** The rows of segments, of all signals. */
export interface Rows {
  /** Adds what a frame holds; its payload must not change any more. */
  add(kind: FrameKind, payload: Uint8Array): void;
  parts(): Iterable<RowPart>;
}

const WRITERS: Partial<Record<ColdSignal, ColdWriter>> = {
  spans: {
    merge: (files, sink, keyValues) =>
      ofSpans(
        mergeSpanFiles(files.map(openSpans), sink, withNames(keyValues, allBlobNames(files.map(open)))),
      ),
    shareRows: (file, other) => shareSpans(openSpans(file), openSpans(other)),
  },
  logs: {
    merge: (files, sink, keyValues) =>
      ofRecords(
        mergeLogFiles(
          files.map(({ file, path }) => LogFile.open(file, path)),
          sink,
          withNames(keyValues, allBlobNames(files.map(open))),
        ),
      ),
    shareRows: (file, other) => shareRequests(open(file), open(other)),
  },
  metrics: {
    merge: (files, sink, keyValues) =>
      ofRecords(
        mergeMetricFiles(
          files.map(({ file, path }) => MetricFile.open(file, path)),
          sink,
          keyValues,
        ),
      ),
    shareRows: (file, other) => shareRequests(open(file), open(other)),
  },
  metrics_5m: {
    merge: (files, sink, keyValues) => rollUpMetrics([], files, sink, keyValues),
    // They are made of points that are in no other file.
    shareRows: () => false,
  },
  comments: {
    merge: (files, sink, keyValues) =>
      writeComments(
        files.flatMap((file) => [...readComments(open(file))]),
        sink,
        keyValues,
      ),
    shareRows(file, other) {
      const ids = new Set(Array.from(readComments(open(file)), ({ id }) => id));
      for (const { id } of readComments(open(other))) if (ids.has(id)) return true;
      return false;
    },
  },
};

/** Sums the points of files up, together with rollups that there are already; `undefined` if there are no rows. */
export function rollUpMetrics(
  metrics: readonly OpenColdFile[],
  rollups: readonly OpenColdFile[],
  sink: Sink,
  keyValues: ReadonlyMap<string, string>,
): Written | undefined {
  return ofRecords(rollUp(metrics.map(open), rollups.map(open), sink, keyValues));
}

/** How files of a signal are made. */
export function coldWriter(signal: ColdSignal): ColdWriter {
  const writer = WRITERS[signal];
  if (writer === undefined) throw new TypeError(`there are no files of ${signal}`);
  return writer;
}

/** Rows to be filled, whose large values go to the blob store. */
export function newRows(payloads: PayloadMover): Rows {
  const spans = new SpanSorter();
  const logs = new LogSorter();
  const points = new PointSorter();
  const comments: Comment[] = [];
  return {
    add(kind, payload) {
      switch (kind) {
        case FrameKind.TRACES:
          spans.add(payloads.moveOut('spans', payload));
          break;
        case FrameKind.LOGS:
          logs.add(payloads.moveOut('logs', payload), requestId(payload));
          break;
        case FrameKind.METRICS:
          points.add(payload);
          break;
        case FrameKind.COMMENT:
          comments.push(decodeComment(payload));
          break;
        default:
          throw new TypeError(`frames of kind ${kind} have no form in the cold tier`);
      }
    },
    *parts() {
      for (const hour of spans.hours()) {
        yield part('spans', hour, (sink, keyValues) =>
          ofSpans(
            writeSpanFile(spans, sink, {
              keyValues: withNames(keyValues, payloads.namesOf('spans', hour)),
              hour,
            }),
          ),
        );
      }
      for (const hour of logs.hours()) {
        yield part('logs', hour, (sink, keyValues) =>
          ofRecords(
            writeLogFile(logs, sink, {
              keyValues: withNames(keyValues, payloads.namesOf('logs', hour)),
              hour,
            }),
          ),
        );
      }
      for (const hour of points.hours()) {
        yield part('metrics', hour, (sink, keyValues) =>
          ofRecords(writeMetricFile(points, sink, { keyValues, hour })),
        );
      }
      for (const [hour, some] of Map.groupBy(comments, ({ timeUnixNanos }) => hourOf(timeUnixNanos))) {
        yield part('comments', hour, (sink, keyValues) => writeComments(some, sink, keyValues));
      }
    },
  };
}

function part(signal: ColdSignal, hour: number, write: RowPart['write']): RowPart {
  return { signal, partition: partitionOfHour(hour), write };
}

function open({ file, path }: OpenColdFile): ParquetFile {
  return ParquetFile.open(file, path);
}

function openSpans({ file, path }: OpenColdFile): SpanFile {
  return SpanFile.open(file, path);
}

function ofSpans(summary: SpanFileSummary | undefined): Written | undefined {
  if (summary === undefined) return undefined;
  const { rows, minStartUnixNanos: minTime, maxStartUnixNanos: maxTime } = summary;
  return { rows, minTime, maxTime };
}

function ofRecords(
  summary:
    | { readonly rows: number; readonly minTimeUnixNanos: bigint; readonly maxTimeUnixNanos: bigint }
    | undefined,
): Written | undefined {
  if (summary === undefined) return undefined;
  const { rows, minTimeUnixNanos: minTime, maxTimeUnixNanos: maxTime } = summary;
  return { rows, minTime, maxTime };
}

function writeComments(
  comments: readonly Comment[],
  sink: Sink,
  keyValues: ReadonlyMap<string, string>,
): Written | undefined {
  const rows = writeCommentFile(comments, sink, keyValues);
  if (rows === 0) return undefined;
  let [minTime, maxTime] = [comments[0]!.timeUnixNanos, comments[0]!.timeUnixNanos];
  for (const { timeUnixNanos } of comments) {
    if (timeUnixNanos < minTime) minTime = timeUnixNanos;
    if (timeUnixNanos > maxTime) maxTime = timeUnixNanos;
  }
  return { rows, minTime, maxTime };
}
