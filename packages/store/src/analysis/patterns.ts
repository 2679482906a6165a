/**
 * Shapes of a trace that are worth telling, because they have a remedy:
 *
 * - **n-plus-one**: a span makes the same call again and again, one after the other: one for each row of a
 *   list, usually. Calls are the same if they have the same service, operation, kind and statement, in which
 *   values are replaced by `?`.
 * - **retry**: a call failed and the same call was made again.
 * - **serial-calls**: different calls that leave the process ran one after the other with hardly a pause
 *   between them. They could have run at the same time, unless one needs the answer of another.
 *
 * Every finding names the spans, so that whoever reads it can judge.
 */
import { type AttributeValue, type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import type { Trace } from '../store.ts';
import { descendants, type TimedNode, timelineOf } from './timeline.ts';
import { shownMs, shownTimes } from './wording.ts';

/** A shape that was found in a trace. */
export interface TracePattern {
  readonly kind: 'n-plus-one' | 'retry' | 'serial-calls';
  /** The span that made the calls. 16 hex digits. */
  readonly parentSpanId: string;
  /** The calls, in the order in which they started. */
  readonly spanIds: readonly string[];
  /** The service that made them. */
  readonly service: string;
  /** What was called: the statement or the operation, for `serial-calls` each of them. */
  readonly calls: readonly string[];
  /** What the calls took together, in milliseconds. */
  readonly durationMs: number;
  /** What would be saved at best, in milliseconds. */
  readonly savingMs: number;
  /** What there is to tell, in a sentence. */
  readonly summary: string;
}

/** From so many equal calls on it is a pattern. */
const MIN_REPEATED_CALLS = 5;
/** From so many different calls on. */
const MIN_SERIAL_CALLS = 3;
/** The part of repeated calls that may run at the same time as the one before and still be called serial. */
const MAX_OVERLAPPING = 0.1;
/** A pause between two calls that is at most this part of them means that nothing much happened in between. */
const MAX_PAUSE = 0.1;
/** What must be saved of the parent's time for serial calls to be told. */
const MIN_SAVING = 0.1;
const MAX_STATEMENT = 200;

/** Finds the patterns of a trace, those first that would save most. */
export function findPatterns(trace: Trace): TracePattern[] {
  const patterns: TracePattern[] = [];
  for (const parent of descendants(timelineOf(trace))) {
    if (parent.children.length < 2) continue;
    const calls = parent.children.map((node) => ({ node, what: callOf(node.span) }));
    const groups = Map.groupBy(calls, ({ node, what }) =>
      JSON.stringify([node.service, node.span.kind, what]),
    );
    for (const group of groups.values()) {
      const nodes = group.map(({ node }) => node);
      const what = group[0]!.what;
      const retries = retriesAmong(nodes);
      if (retries.length > 0) patterns.push(retryPattern(parent, retries, what));
      const repeated = withoutRetries(nodes, retries);
      if (repeated.length >= MIN_REPEATED_CALLS && areSerial(repeated)) {
        patterns.push(repeatedPattern(parent, repeated, what));
      }
    }
    const serial = serialPattern(parent, calls);
    if (serial !== undefined) patterns.push(serial);
  }
  return patterns.sort((a, b) => b.savingMs - a.savingMs);
}

/** Runs of a failed call and the same call again, until one succeeds. */
function retriesAmong(nodes: readonly TimedNode[]): TimedNode[][] {
  const runs: TimedNode[][] = [];
  let run: TimedNode[] = [];
  for (const node of nodes) {
    const last = run.at(-1);
    if (last !== undefined && node.start < last.end) run = [];
    run.push(node);
    if (node.span.status.code === StatusCode.ERROR) continue;
    if (run.length > 1) runs.push(run);
    run = [];
  }
  if (run.length > 1) runs.push(run);
  return runs;
}

function withoutRetries(nodes: readonly TimedNode[], runs: readonly TimedNode[][]): readonly TimedNode[] {
  if (runs.length === 0) return nodes;
  const repeats = new Set(runs.flatMap((run) => run.slice(1)));
  return nodes.filter((node) => !repeats.has(node));
}

function areSerial(nodes: readonly TimedNode[]): boolean {
  let overlapping = 0;
  for (let at = 1; at < nodes.length; at++) if (nodes[at]!.start < nodes[at - 1]!.end) overlapping++;
  return overlapping <= nodes.length * MAX_OVERLAPPING;
}

function retryPattern(parent: TimedNode, runs: readonly TimedNode[][], what: string): TracePattern {
  const nodes = runs.flat();
  const last = runs.map((run) => run.at(-1)!);
  const saving = sum(nodes) - sum(last);
  const failed = last.filter((node) => node.span.status.code === StatusCode.ERROR).length;
  const outcome =
    failed === 0
      ? 'and succeeded in the end'
      : failed === runs.length
        ? 'and failed every time'
        : 'partly in vain';
  return {
    ...pattern('retry', parent, nodes, [what], saving),
    summary: `${parent.service} called ${what} again after it had failed, ${shownTimes(nodes.length - runs.length)}, ${outcome}: ${shownMs(saving / 1e6)} went to the failed attempts.`,
  };
}

function repeatedPattern(parent: TimedNode, nodes: readonly TimedNode[], what: string): TracePattern {
  const longest = Math.max(...nodes.map(durationOf));
  const saving = sum(nodes) - longest;
  return {
    ...pattern('n-plus-one', parent, nodes, [what], saving),
    summary: `${parent.service} called ${what} ${nodes.length} times one after the other within ${parent.span.name}: a single call for all of them would save up to ${shownMs(saving / 1e6)}.`,
  };
}

/** The longest run of different outgoing calls with hardly a pause, if it would save enough. */
function serialPattern(
  parent: TimedNode,
  calls: readonly { readonly node: TimedNode; readonly what: string }[],
): TracePattern | undefined {
  let best: TracePattern | undefined;
  let run: { readonly node: TimedNode; readonly what: string }[] = [];
  const take = (): void => {
    const nodes = run.map(({ node }) => node);
    const different = [...new Set(run.map(({ what }) => what))];
    // The same call again and again is another pattern.
    if (different.length < MIN_SERIAL_CALLS || different.length * 2 < run.length) return;
    const saving = sum(nodes) - Math.max(...nodes.map(durationOf));
    if (
      saving < (parent.end - parent.start) * MIN_SAVING ||
      (best !== undefined && saving / 1e6 <= best.savingMs)
    )
      return;
    best = {
      ...pattern('serial-calls', parent, nodes, different, saving),
      summary: `${parent.service} made ${nodes.length} calls one after the other within ${parent.span.name} (${different.slice(0, 3).join(', ')}${different.length > 3 ? ', …' : ''}): at the same time they would take up to ${shownMs(saving / 1e6)} less.`,
    };
  };
  for (const call of calls) {
    const last = run.at(-1)?.node;
    const leaves = LEAVES_THE_PROCESS.has(call.node.span.kind);
    const pause = last === undefined ? 0 : call.node.start - last.end;
    const joins =
      last === undefined ||
      (pause >= 0 && pause <= MAX_PAUSE * Math.max(durationOf(last), durationOf(call.node)));
    if (leaves && joins && call.node.span.status.code !== StatusCode.ERROR) {
      run.push(call);
      continue;
    }
    take();
    run = leaves && call.node.span.status.code !== StatusCode.ERROR ? [call] : [];
  }
  take();
  return best;
}

const LEAVES_THE_PROCESS: ReadonlySet<SpanKind> = new Set([SpanKind.CLIENT]);

function pattern(
  kind: TracePattern['kind'],
  parent: TimedNode,
  nodes: readonly TimedNode[],
  calls: readonly string[],
  savingNanos: number,
): Omit<TracePattern, 'summary'> {
  return {
    kind,
    parentSpanId: parent.span.spanId,
    spanIds: nodes.map((node) => node.span.spanId),
    service: parent.service,
    calls,
    durationMs: sum(nodes) / 1e6,
    savingMs: savingNanos / 1e6,
  };
}

/** What a span calls, with values left out: its statement, or its name. */
function callOf({ attributes, name }: SpanData): string {
  // The present name of the convention and the one before it.
  const statement = text(attributes['db.query.text']) ?? text(attributes['db.statement']);
  if (statement === undefined) return name;
  const shape = withoutValues(statement);
  return shape.length > MAX_STATEMENT ? `${shape.slice(0, MAX_STATEMENT)}…` : shape;
}

/**
 * A statement with `?` in place of its values, lists of values as one, and spaces made equal.
 *
 * @example
 * withoutValues("SELECT *  FROM t WHERE id IN (1, 2) AND name = 'x'") // SELECT * FROM t WHERE id IN (?) AND name = ?
 */
export function withoutValues(statement: string): string {
  return statement
    .replace(/'(?:[^']|'')*'|\$\d+|\b0x[0-9a-f]+\b|\b\d+(?:\.\d+)?(?:e[+-]?\d+)?\b/gi, '?')
    .replace(/\(\s*\?(?:\s*,\s*\?)*\s*\)/g, '(?)')
    .replace(/\s+/g, ' ')
    .trim();
}

function text(value: AttributeValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function durationOf(node: TimedNode): number {
  return node.end - node.start;
}

function sum(nodes: readonly TimedNode[]): number {
  return nodes.reduce((total, node) => total + durationOf(node), 0);
}
