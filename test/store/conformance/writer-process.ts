// What the tests start as another process: inserts into stores what its parent sends, and answers with the outcome.
import { type NewComment, openStore, type Signal, type TraceStore } from '@tracewell/store';

/** What a parent sends. */
export type Order = { readonly id: number } & (
  | { readonly open: string }
  | { readonly signal: Signal; readonly bytes: Uint8Array }
  | { readonly comment: NewComment }
  | { readonly close: true }
);

/** What it gets back. */
export interface Outcome {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly name: string; readonly message: string; readonly code?: unknown };
}

let store: TraceStore | undefined;

async function obey(order: Order): Promise<unknown> {
  if ('open' in order) {
    store = await openStore(order.open, { durability: 'none' });
    return undefined;
  }
  if ('close' in order) return store!.close();
  if ('comment' in order) return store!.addComment(order.comment);
  return store!.insertOtlp(order.signal, order.bytes);
}

process.on('message', async (order: Order) => {
  let outcome: Outcome;
  try {
    outcome = { id: order.id, result: await obey(order) };
  } catch (thrown) {
    const { name, message, code } = thrown as Error & { readonly code?: unknown };
    outcome = { id: order.id, error: { name, message, code } };
  }
  process.send!(outcome);
});
