import type { Trace } from '../store.ts';
import { type TimedNode, timelineOf } from './timeline.ts';

/** Which spans made a trace as long as it was. */
export interface CriticalPath {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** The root whose time is explained: the one that took longest. 16 hex digits. */
  readonly rootSpanId: string;
  /** How long that root took, in milliseconds: the sum of all steps. */
  readonly durationMs: number;
  /** Which span the trace waited for, from start to end without a gap. */
  readonly steps: readonly CriticalStep[];
  /** The same time by span: those first that the most of it went to. */
  readonly spans: readonly CriticalSpan[];
}

/** A stretch of a trace during which it waited for one span's own work. */
export interface CriticalStep {
  readonly spanId: string;
  readonly service: string;
  readonly operation: string;
  readonly startTimeUnixNanos: bigint;
  /** In milliseconds. */
  readonly durationMs: number;
}

/** What a span contributed to the length of its trace. */
export interface CriticalSpan {
  readonly spanId: string;
  readonly service: string;
  readonly operation: string;
  /** Milliseconds for which the trace waited for this span's own work: by so much would it have been shorter. */
  readonly durationMs: number;
  /** The same as a part of the whole, 0 to 1. */
  readonly share: number;
}

interface Step {
  readonly node: TimedNode;
  readonly start: number;
  readonly end: number;
}

/**
 * Works out the critical path: seen from the end of a span, what it waited for last is the child that ended
 * last; before that child started, the one that ended last before then; and so on. What no child covers was
 * the span's own work. Of a child that outlives its parent, only the time before the parent's end counts.
 *
 * @see https://www.usenix.org/conference/atc22/presentation/zhang-zhizhou (CRISP, section 3)
 */
export function criticalPath(trace: Trace): CriticalPath {
  const roots = timelineOf(trace);
  const root = roots.reduce((longest, node) =>
    node.end - node.start > longest.end - longest.start ? node : longest,
  );
  const steps = pathOf(root);
  const total = root.end - root.start;
  const bySpan = new Map<TimedNode, number>();
  for (const { node, start, end } of steps) bySpan.set(node, (bySpan.get(node) ?? 0) + end - start);
  return {
    traceId: trace.traceId,
    rootSpanId: root.span.spanId,
    durationMs: total / 1e6,
    steps: steps.map(({ node, start, end }) => ({
      ...named(node),
      startTimeUnixNanos: trace.startTimeUnixNanos + BigInt(start),
      durationMs: (end - start) / 1e6,
    })),
    spans: [...bySpan]
      .sort(([, a], [, b]) => b - a)
      .map(([node, nanos]) => ({
        ...named(node),
        durationMs: nanos / 1e6,
        share: total === 0 ? 0 : nanos / total,
      })),
  };
}

/** A span on the way back through time: its work is still to be explained from `start` to `until`. */
interface Visit {
  readonly node: TimedNode;
  readonly start: number;
  until: number;
  /** What may explain it, cut to its time; the one that ended last stands at the end. */
  readonly children: { readonly node: TimedNode; readonly start: number; readonly end: number }[];
}

/** The steps of a span's time, first one first. */
function pathOf(root: TimedNode): Step[] {
  const steps: Step[] = [];
  const own = (node: TimedNode, start: number, end: number): void => {
    if (end > start) steps.push({ node, start, end });
  };
  // With a stack of its own, since traces can be deep.
  const stack = [visit(root, root.start, root.end)];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const child = top.children.pop();
    if (child === undefined) {
      own(top.node, top.start, top.until);
      stack.pop();
    } else if (child.end <= top.until) {
      // Otherwise something that ended later ran at the same time, and that is what was waited for.
      own(top.node, child.end, top.until);
      top.until = child.start;
      stack.push(visit(child.node, child.start, child.end));
    }
  }
  return steps.reverse();
}

function visit(node: TimedNode, start: number, until: number): Visit {
  const children = node.children
    .map((child) => ({
      node: child,
      start: Math.max(child.start, start),
      end: Math.min(child.end, until),
    }))
    .filter((child) => child.end > child.start)
    .sort((a, b) => a.end - b.end || b.start - a.start);
  return { node, start, until, children };
}

function named({ span, service }: TimedNode): { spanId: string; service: string; operation: string } {
  return { spanId: span.spanId, service, operation: span.name };
}
