import type { SpanData } from './span.ts';

/** A span with the spans that it caused, in the order in which they started. */
export interface TraceNode {
  readonly span: SpanData;
  readonly children: readonly TraceNode[];
}

/**
 * Arranges the spans of one trace as trees. A span whose parent is not among them is a root of its own, as
 * happens when the parent is still running or was recorded elsewhere; spans that claim each other as
 * parents are cut at the one that started first, so that every span appears exactly once.
 *
 * @param spans - the spans of one trace, in any order
 * @returns the roots, in the order in which they started
 *
 * @example
 * ```ts
 * import { traceTree, type SpanData } from '@tracewell/plugin';
 *
 * const spans: SpanData[] = [];
 * for (const root of traceTree(spans)) console.log(root.span.name, root.children.length);
 * ```
 */
export function traceTree(spans: readonly SpanData[]): TraceNode[] {
  const nodes = spans.map((span): Node => ({ span, children: [] })).sort(byStart);
  const bySpanId = new Map<string, Node>();
  for (const node of nodes) if (!bySpanId.has(node.span.spanId)) bySpanId.set(node.span.spanId, node);

  const parents = new Map<Node, Node>();
  for (const node of nodes) {
    const parent = bySpanId.get(node.span.parentSpanId);
    if (parent !== undefined && parent !== node) parents.set(node, parent);
  }
  cutCycles(nodes, parents);

  const roots: Node[] = [];
  for (const node of nodes) (parents.get(node)?.children ?? roots).push(node);
  return roots;
}

interface Node {
  readonly span: SpanData;
  readonly children: Node[];
}

/** Makes a root of the earliest span of every cycle. What merely hangs from a cycle stays where it is. */
function cutCycles(nodes: readonly Node[], parents: Map<Node, Node>): void {
  const settled = new Set<Node>();
  for (const start of nodes) {
    const path = new Set<Node>();
    let node: Node | undefined = start;
    while (node !== undefined && !settled.has(node) && !path.has(node)) {
      path.add(node);
      node = parents.get(node);
    }
    if (node !== undefined && path.has(node)) {
      let earliest = node;
      for (let next = parents.get(node)!; next !== node; next = parents.get(next)!) {
        if (byStart(next, earliest) < 0) earliest = next;
      }
      parents.delete(earliest);
    }
    for (const seen of path) settled.add(seen);
  }
}

function byStart(a: Node, b: Node): number {
  const difference = a.span.startTimeUnixNanos - b.span.startTimeUnixNanos;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
