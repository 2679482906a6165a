import type { SpanData, TraceNode } from '@tracewell/plugin';
import { serviceOf } from '../query/service-of.ts';
import type { Trace } from '../store.ts';

/**
 * A span of a trace with its times as plain numbers: nanoseconds since the trace began, exact as long as a
 * trace takes less than 104 days. A span that ends before it starts takes no time.
 */
export interface TimedNode {
  readonly span: SpanData;
  readonly service: string;
  readonly start: number;
  readonly end: number;
  /** In the order in which they started. */
  readonly children: readonly TimedNode[];
}

/** The trees of a trace with their times as numbers. */
export function timelineOf(trace: Trace): TimedNode[] {
  const origin = trace.startTimeUnixNanos;
  const timed = new Map<TraceNode, TimedNode>();
  // Children before parents, without recursion: a trace may be as deep as it is long.
  const todo: TraceNode[] = [...trace.roots];
  const order: TraceNode[] = [];
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    order.push(node);
    todo.push(...node.children);
  }
  for (const node of order.reverse()) {
    const { span } = node;
    const start = Number(span.startTimeUnixNanos - origin);
    timed.set(node, {
      span,
      service: serviceOf(span),
      start,
      end: Math.max(start, Number(span.endTimeUnixNanos - origin)),
      children: node.children.map((child) => timed.get(child)!),
    });
  }
  return trace.roots.map((root) => timed.get(root)!);
}

/** All spans below some and these themselves, parents before children. */
export function* descendants(roots: readonly TimedNode[]): Generator<TimedNode> {
  const todo = [...roots].reverse();
  for (let node = todo.pop(); node !== undefined; node = todo.pop()) {
    yield node;
    for (let at = node.children.length - 1; at >= 0; at--) todo.push(node.children[at]!);
  }
}

/** How long a span worked itself: its time less what at least one of its children took of it. */
export function selfNanos(node: TimedNode): number {
  let busy = 0;
  let until = node.start;
  for (const child of node.children) {
    const start = Math.max(child.start, until);
    const end = Math.min(child.end, node.end);
    if (end <= start) continue;
    busy += end - start;
    until = end;
  }
  return node.end - node.start - busy;
}
