import { StatusCode } from '@tracewell/plugin';
import type { Trace } from '../store.ts';
import { selfNanos, type TimedNode, timelineOf } from './timeline.ts';
import { shownMs, shownTimes } from './wording.ts';

/** Two traces side by side. */
export interface TraceComparison {
  /** The first trace: the one to compare with. */
  readonly before: ComparedTrace;
  /** The second trace. */
  readonly after: ComparedTrace;
  /** Milliseconds that the second took longer; negative if it was quicker. */
  readonly differenceMs: number;
  /** One for each place in the call tree, those first whose own time differs most. */
  readonly places: readonly ComparedPlace[];
  /** What there is to tell, in a sentence. */
  readonly summary: string;
}

/** What {@link TraceComparison} says of one of the traces as a whole. */
export interface ComparedTrace {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** In milliseconds. */
  readonly durationMs: number;
  readonly spanCount: number;
  /** Spans with status ERROR. */
  readonly errorCount: number;
}

/** All spans of both traces that stand at the same place: the same services and operations from the root on. */
export interface ComparedPlace {
  /** `service operation` of each span from the root to this one. */
  readonly path: readonly string[];
  readonly service: string;
  readonly operation: string;
  /** The first trace's spans at this place; none if `count` is 0. */
  readonly before: PlaceFigures;
  /** Those of the second trace. */
  readonly after: PlaceFigures;
  /** Milliseconds of own work, without that of children, that the second trace spent more. */
  readonly differenceMs: number;
}

/** What the spans of one trace at one place come to. */
export interface PlaceFigures {
  readonly count: number;
  /** Those with status ERROR. */
  readonly errorCount: number;
  /** The sum of their durations, in milliseconds. */
  readonly durationMs: number;
  /** The sum of what they worked themselves, without their children, in milliseconds. */
  readonly selfMs: number;
}

interface Place {
  readonly node: TimedNode;
  readonly parent: Place | undefined;
  readonly before: Mutable<PlaceFigures>;
  readonly after: Mutable<PlaceFigures>;
  readonly children: Map<string, Place>;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/** Lays two traces over each other, place by place. */
export function compareTwoTraces(before: Trace, after: Trace): TraceComparison {
  const roots = new Map<string, Place>();
  lay(timelineOf(before), 'before', roots);
  lay(timelineOf(after), 'after', roots);

  const places: ComparedPlace[] = [];
  const todo = [...roots.values()];
  for (let place = todo.pop(); place !== undefined; place = todo.pop()) {
    places.push(compared(place));
    todo.push(...place.children.values());
  }
  places.sort((a, b) => Math.abs(b.differenceMs) - Math.abs(a.differenceMs));
  const differenceMs = after.durationMs - before.durationMs;
  return {
    before: whole(before),
    after: whole(after),
    differenceMs,
    places,
    summary: summaryOf(differenceMs, places[0]),
  };
}

function lay(roots: readonly TimedNode[], side: 'before' | 'after', into: Map<string, Place>): void {
  const todo: { node: TimedNode; parent: Place | undefined; into: Map<string, Place> }[] = [];
  for (const node of roots) todo.push({ node, parent: undefined, into });
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const { node, parent } = next;
    const key = JSON.stringify([node.service, node.span.name]);
    let place = next.into.get(key);
    if (place === undefined) {
      place = { node, parent, before: nothing(), after: nothing(), children: new Map() };
      next.into.set(key, place);
    }
    const figures = place[side];
    figures.count++;
    if (node.span.status.code === StatusCode.ERROR) figures.errorCount++;
    figures.durationMs += (node.end - node.start) / 1e6;
    figures.selfMs += selfNanos(node) / 1e6;
    for (const child of node.children) todo.push({ node: child, parent: place, into: place.children });
  }
}

function compared(place: Place): ComparedPlace {
  const path: string[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) {
    path.push(`${at.node.service} ${at.node.span.name}`);
  }
  return {
    path: path.reverse(),
    service: place.node.service,
    operation: place.node.span.name,
    before: place.before,
    after: place.after,
    differenceMs: place.after.selfMs - place.before.selfMs,
  };
}

function whole({ traceId, durationMs, spans }: Trace): ComparedTrace {
  const errorCount = spans.filter((span) => span.status.code === StatusCode.ERROR).length;
  return { traceId, durationMs, spanCount: spans.length, errorCount };
}

function nothing(): Mutable<PlaceFigures> {
  return { count: 0, errorCount: 0, durationMs: 0, selfMs: 0 };
}

function summaryOf(differenceMs: number, first: ComparedPlace | undefined): string {
  const whole =
    differenceMs === 0
      ? 'Both traces took equally long'
      : `The second trace took ${shownMs(Math.abs(differenceMs))} ${differenceMs > 0 ? 'longer' : 'less'}`;
  if (first === undefined || first.differenceMs === 0) return `${whole}.`;
  const what = `${first.service} ${first.operation}`;
  const { before, after } = first;
  const calls =
    before.count === after.count
      ? ''
      : `, called ${shownTimes(after.count)} instead of ${shownTimes(before.count)}`;
  const amount = shownMs(Math.abs(first.differenceMs));
  return `${whole}; the largest difference is ${what}: ${amount} ${first.differenceMs > 0 ? 'more' : 'less'}${calls}.`;
}
