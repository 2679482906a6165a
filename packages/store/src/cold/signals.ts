/**
 * What each signal brings to the cold tier. Compaction knows segments, files and partitions; what a row is, only
 * the folders of the signals know. A new signal is an entry of {@link WRITERS} and a case of {@link newRows}.
 */
import { FrameKind } from '../log/types.ts';
import type { ColdSignal } from '../meta/catalog.ts';
import type { ReadableFile } from '../parquet/file.ts';
import type { Sink } from '../parquet/output.ts';
import type { Written } from './job.ts';
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

/** Rows of one signal and one hour, to be written to a file. */
export interface RowPart {
  readonly signal: ColdSignal;
  /** Counted from the Unix epoch. */
  readonly hour: number;
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
    merge: (files, sink, keyValues) => written(mergeSpanFiles(files.map(openSpans), sink, keyValues)),
    shareRows: (file, other) => shareSpans(openSpans(file), openSpans(other)),
  },
};

/** How files of a signal are made. */
export function coldWriter(signal: ColdSignal): ColdWriter {
  const writer = WRITERS[signal];
  if (writer === undefined) throw new TypeError(`there are no files of ${signal}`);
  return writer;
}

/** Whether frames of a kind can go cold. A segment with others stays hot. */
export function hasColdForm(kind: FrameKind): boolean {
  return kind === FrameKind.TRACES;
}

/** Rows to be filled. */
export function newRows(): Rows {
  const spans = new SpanSorter();
  return {
    add(kind, payload) {
      if (kind === FrameKind.TRACES) spans.add(payload);
    },
    *parts() {
      for (const hour of spans.hours()) {
        yield {
          signal: 'spans',
          hour,
          write: (sink, keyValues) => written(writeSpanFile(spans, sink, { keyValues, hour })),
        };
      }
    },
  };
}

function openSpans({ file, path }: OpenColdFile): SpanFile {
  return SpanFile.open(file, path);
}

function written(summary: SpanFileSummary | undefined): Written | undefined {
  if (summary === undefined) return undefined;
  const { rows, bytes, minStartUnixNanos: minTime, maxStartUnixNanos: maxTime } = summary;
  return { rows, bytes, minTime, maxTime };
}
