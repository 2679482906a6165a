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
  type Node = { readonly span: SpanData; readonly children: Node[]; reached: boolean };
  const nodes: Node[] = spans.map((span) => ({ span, children: [], reached: false })).sort(byStart);
  const bySpanId = new Map<string, Node>();
  for (const node of nodes) if (!bySpanId.has(node.span.spanId)) bySpanId.set(node.span.spanId, node);

  const roots: Node[] = [];
  for (const node of nodes) {
    const parent = bySpanId.get(node.span.parentSpanId);
    if (parent === undefined || parent === node) roots.push(node);
    else parent.children.push(node);
  }

  const stack: Node[] = [];
  const reach = (root: Node): void => {
    root.reached = true;
    stack.push(root);
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      for (const child of node.children) child.reached = true;
      stack.push(...node.children);
    }
  };
  for (const root of roots) reach(root);
  // What no root leads to hangs in a cycle of parents; cut that at its earliest span.
  for (const node of nodes) {
    if (node.reached) continue;
    const siblings = bySpanId.get(node.span.parentSpanId)!.children;
    siblings.splice(siblings.indexOf(node), 1);
    roots.push(node);
    reach(node);
  }
  return roots.sort(byStart);
}

function byStart(a: { readonly span: SpanData }, b: { readonly span: SpanData }): number {
  const difference = a.span.startTimeUnixNanos - b.span.startTimeUnixNanos;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
