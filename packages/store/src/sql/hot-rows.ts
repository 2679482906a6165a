/** Files of the rows that frames of the log hold, as compaction writes them. */
import { TracewellError } from '@tracewell/plugin';
import { blobName } from '../blobs/blob-store.ts';
import { writeCommentFile } from '../cold/comments/comment-file.ts';
import { LogSorter } from '../cold/logs/log-sorter.ts';
import { writeLogFile } from '../cold/logs/write-log-file.ts';
import { PointSorter } from '../cold/metrics/point-sorter.ts';
import { writeMetricFile } from '../cold/metrics/write-metric-file.ts';
import { SpanSorter } from '../cold/spans/span-sorter.ts';
import { writeSpanFile } from '../cold/spans/write-span-file.ts';
import { type Comment, decodeComment } from '../comments/comment.ts';
import { requestId } from '../hot/request-id.ts';
import type { Sink } from '../parquet/output.ts';
import { PayloadMover } from '../payloads/move-out.ts';
import type { RowFiles } from './tables.ts';

/** Where large values would go: SQL has the same of them, hot or cold. */
const NOWHERE = { put: blobName, flush(): void {} };

/**
 * Writes the file of a signal's rows.
 *
 * @param payloads - of the frames that hold them
 * @returns whether there are any
 */
export function writeHotRows(
  signal: RowFiles['signal'],
  payloads: Iterable<Uint8Array>,
  sink: Sink,
): boolean {
  switch (signal) {
    case 'spans': {
      const sorter = new SpanSorter();
      const mover = new PayloadMover(NOWHERE);
      for (const payload of payloads) leniently(() => sorter.add(mover.moveOut('spans', payload)));
      return writeSpanFile(sorter, sink) !== undefined;
    }
    case 'logs': {
      const sorter = new LogSorter();
      const mover = new PayloadMover(NOWHERE);
      for (const payload of payloads) {
        leniently(() => sorter.add(mover.moveOut('logs', payload), requestId(payload)));
      }
      return writeLogFile(sorter, sink) !== undefined;
    }
    case 'metrics': {
      const sorter = new PointSorter();
      for (const payload of payloads) leniently(() => sorter.add(payload));
      return writeMetricFile(sorter, sink) !== undefined;
    }
    case 'comments': {
      const comments: Comment[] = [];
      for (const payload of payloads) leniently(() => comments.push(decodeComment(payload)));
      return writeCommentFile(comments, sink) > 0;
    }
  }
}

/** A frame that does not hold what its kind says was not written by an insert of ours. The index has counted it. */
function leniently(add: () => unknown): void {
  try {
    add();
  } catch (error) {
    if (!(error instanceof TracewellError)) throw error;
  }
}
