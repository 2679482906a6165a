import { type Comment, compareComments } from '../comments/comment.ts';
import type { CommentIndex } from '../hot/comments/comment-index.ts';
import type { Snapshot } from './snapshot.ts';

/** The comments on a trace, hot and cold as one, each once, in the order of their times. */
export function findComments(hot: CommentIndex, snapshot: Snapshot, traceId: string): Comment[] {
  const found = new Map<string, Comment>();
  // Of comments with the same id the earlier one counts, wherever it is.
  const keep = (comment: Comment): void => {
    const other = found.get(comment.id);
    if (other === undefined || compareComments(comment, other) < 0) found.set(comment.id, comment);
  };
  for (const comment of hot.ofTrace(traceId)) keep(comment);
  for (const file of snapshot.readable('comments')) {
    try {
      for (const comment of snapshot.files.comments(file, traceId)) keep(comment);
    } catch (error) {
      snapshot.skip(error);
    }
  }
  return [...found.values()].sort(compareComments);
}
