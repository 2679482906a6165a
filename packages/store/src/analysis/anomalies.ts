/**
 * What got worse: services and operations whose error rate or latency in a window differs from a baseline, the
 * time right before it.
 *
 * Two questions decide, and both must be answered yes. Is it real? The test of two proportions says how likely
 * so large a difference is by chance: for errors the part of spans that failed, for latency the part that took
 * longer than the baseline's 95th percentile. Its z-score must be 4 at least (1 in 30,000), since hundreds of
 * operations are looked at. And does it matter? The rate must have grown by a percentage point and by half, the
 * 95th percentile by half and by a millisecond. Fewer than `minSpans` spans in either window say nothing, so
 * three requests never raise an alarm.
 *
 * The test: https://en.wikipedia.org/wiki/Two-proportion_Z-test
 */
import { SpanKind, StatusCode } from '@tracewell/plugin';
import type { Operations } from '../hot/spans/operations.ts';
import { FLAG_KIND, FLAG_KIND_SHIFT, FLAG_ROOT, FLAG_STATUS } from '../hot/spans/row.ts';
import { checkFields, checkLimit, checkStrings, toNanos } from '../query/check.ts';
import { shown } from '../shown.ts';
import { Figures, OTHERS, type SpanFigures, serviceFilter } from './figures.ts';
import type { SpanFacts } from './span-facts.ts';
import { shownMs } from './wording.ts';

/** What {@link Store.queryAnomalies} takes. */
export interface AnomalyQuery {
  /** Only this service and its operations. Default: all. */
  readonly service?: string | undefined;
  /** Length of the window in seconds. Default 300. */
  readonly windowSeconds?: number | undefined;
  /** Length of the baseline in seconds: the time right before the window. Default 3600. */
  readonly baselineSeconds?: number | undefined;
  /** Where the window ends. Nanoseconds since the Unix epoch, or a date. Default now. */
  readonly endTime?: bigint | Date | undefined;
  /** Spans that both windows must have, 5 or more. Default 20. */
  readonly minSpans?: number | undefined;
  /** Anomalies to return at most, 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
}

/** Something that got worse. */
export interface Anomaly {
  readonly kind: 'error-rate' | 'latency';
  /** `critical`: the rate grew by 20 points or tenfold, or the latency fivefold; `warning`: less than that. */
  readonly severity: 'warning' | 'critical';
  readonly service: string;
  /** Absent if it is about the service: the spans with which it answers others. */
  readonly operation?: string;
  readonly current: SpanFigures;
  readonly baseline: SpanFigures;
  /** How many standard deviations the difference is from chance. */
  readonly score: number;
  /** What there is to tell, in a sentence. */
  readonly summary: string;
}

/** What {@link Store.queryAnomalies} finds. */
export interface AnomalyReport {
  /** The critical ones first, then those that are furthest from chance. */
  readonly anomalies: readonly Anomaly[];
  /** Why spans may be missing from the figures, each reason once; absent if none are. */
  readonly partial?: readonly string[];
}

/** A checked query with everything filled in. */
export interface AnomalyPlan {
  readonly service: string | undefined;
  /** The first nanosecond of the baseline. */
  readonly baselineStart: bigint;
  /** The first nanosecond of the window, and the end of the baseline. */
  readonly currentStart: bigint;
  /** The end of the window, which does not belong to it. */
  readonly end: bigint;
  readonly minSpans: number;
  readonly limit: number;
}

const CALLER = 'queryAnomalies';
const FIELDS: ReadonlySet<string> = new Set<keyof AnomalyQuery>([
  'service',
  'windowSeconds',
  'baselineSeconds',
  'endTime',
  'minSpans',
  'limit',
]);
const MAX_LIMIT = 1000;
const MAX_SECONDS = 366 * 24 * 3600;
const LEAST_SPANS = 5;

/** What is unlikely enough to be told. */
const MIN_SCORE = 4;
const MIN_RATE_POINTS = 0.01;
const CRITICAL_RATE_POINTS = 0.2;
const CRITICAL_RATE_GROWTH = 10;
const MIN_GROWTH = 1.5;
const MIN_LATENCY_MS = 1;
const CRITICAL_LATENCY_GROWTH = 5;

/** Checks a query and fills in what it leaves out. @throws TypeError, RangeError naming the field */
export function planAnomalies(query: AnomalyQuery, nowUnixNanos: bigint): AnomalyPlan {
  checkFields(CALLER, 'query', query, FIELDS);
  const { service, windowSeconds = 300, baselineSeconds = 3600, minSpans = 20, limit = 100 } = query;
  checkStrings(CALLER, { service });
  checkLimit(CALLER, limit, MAX_LIMIT);
  if (!Number.isInteger(minSpans) || minSpans < LEAST_SPANS) {
    throw new RangeError(
      `${CALLER}: minSpans must be a whole number from ${LEAST_SPANS} on, got ${shown(minSpans)}`,
    );
  }
  const end = toNanos(CALLER, 'endTime', query.endTime) ?? nowUnixNanos;
  const currentStart = earlier(end, secondsOf('windowSeconds', windowSeconds));
  const baselineStart = earlier(currentStart, secondsOf('baselineSeconds', baselineSeconds));
  return { service, baselineStart, currentStart, end, minSpans, limit };
}

/** Finds what got worse, the critical first, then by score. */
export async function findAnomalies(facts: SpanFacts, plan: AnomalyPlan): Promise<Anomaly[]> {
  const { operations } = facts;
  const isWanted = serviceFilter(operations, plan.service);
  const gather = async (from: bigint, until: bigint): Promise<Side> => {
    const side: Side = { operations: new Figures(), services: new Figures() };
    await facts.visit(
      { minStart: from, maxStart: until - 1n },
      (operation, flags, _high, _low, durationBits) => {
        const service = operations.serviceOf(operation);
        if (!isWanted(service)) return;
        const failed = (flags & FLAG_STATUS) === StatusCode.ERROR;
        side.operations.add(operation, durationBits, failed);
        if (isEntry(flags)) side.services.add(service, durationBits, failed);
      },
    );
    return side;
  };
  const baseline = await gather(plan.baselineStart, plan.currentStart);
  const current = await gather(plan.currentStart, plan.end);

  const found: Anomaly[] = [];
  const look = (part: 'operations' | 'services', name: (group: number) => Named): void => {
    for (const group of current[part].groups()) {
      if (current[part].durations.count(group) < plan.minSpans) continue;
      if (baseline[part].durations.count(group) < plan.minSpans) continue;
      found.push(...compare(name(group), group, current[part], baseline[part]));
    }
  };
  look('services', (service) => ({ service: operations.serviceName(service) ?? OTHERS }));
  look('operations', (operation) => namedOperation(operations, operation));
  return found
    .sort(
      (a, b) => Number(b.severity === 'critical') - Number(a.severity === 'critical') || b.score - a.score,
    )
    .slice(0, plan.limit);
}

interface Side {
  readonly operations: Figures;
  readonly services: Figures;
}

interface Named {
  readonly service: string;
  readonly operation?: string;
}

function namedOperation(operations: Operations, operation: number): Named {
  return {
    service: operations.serviceName(operations.serviceOf(operation)) ?? OTHERS,
    operation: operations.name(operation) ?? OTHERS,
  };
}

/** Whether a span is how others meet its service. */
function isEntry(flags: number): boolean {
  const kind = (flags & FLAG_KIND) >>> FLAG_KIND_SHIFT;
  return kind === SpanKind.SERVER || kind === SpanKind.CONSUMER || (flags & FLAG_ROOT) !== 0;
}

function* compare(
  name: Named,
  group: number,
  currentSide: Figures,
  baselineSide: Figures,
): Generator<Anomaly> {
  const current = currentSide.of(group);
  const baseline = baselineSide.of(group);
  const what = name.operation === undefined ? name.service : `${name.service} ${name.operation}`;
  const common = { ...name, current, baseline };

  const points = current.errorRate - baseline.errorRate;
  const growth = current.errorRate / baseline.errorRate;
  const rateScore = scoreOf(current.errorCount, current.spanCount, baseline.errorCount, baseline.spanCount);
  if (rateScore >= MIN_SCORE && points >= MIN_RATE_POINTS && growth >= MIN_GROWTH) {
    const isCritical =
      points >= CRITICAL_RATE_POINTS || (growth >= CRITICAL_RATE_GROWTH && baseline.errorCount > 0);
    yield {
      kind: 'error-rate',
      severity: isCritical ? 'critical' : 'warning',
      ...common,
      score: rateScore,
      summary: `${what} fails in ${percent(current.errorRate)} of ${current.spanCount} spans, before it was ${percent(baseline.errorRate)} of ${baseline.spanCount}.`,
    };
  }

  const usual = baseline.p95Ms * 1e6;
  const latencyScore = scoreOf(
    currentSide.durations.countAbove(group, usual),
    current.spanCount,
    baselineSide.durations.countAbove(group, usual),
    baseline.spanCount,
  );
  const slower = current.p95Ms / baseline.p95Ms;
  if (latencyScore >= MIN_SCORE && slower >= MIN_GROWTH && current.p95Ms - baseline.p95Ms >= MIN_LATENCY_MS) {
    yield {
      kind: 'latency',
      severity: slower >= CRITICAL_LATENCY_GROWTH ? 'critical' : 'warning',
      ...common,
      score: latencyScore,
      summary: `${what} takes ${shownMs(current.p95Ms)} (95th percentile of ${current.spanCount} spans), before it was ${shownMs(baseline.p95Ms)} of ${baseline.spanCount}.`,
    };
  }
}

/** How many standard deviations the difference between two parts of two wholes is from chance. */
function scoreOf(part: number, whole: number, baselinePart: number, baselineWhole: number): number {
  const pooled = (part + baselinePart) / (whole + baselineWhole);
  const variance = pooled * (1 - pooled) * (1 / whole + 1 / baselineWhole);
  return variance === 0 ? 0 : (part / whole - baselinePart / baselineWhole) / Math.sqrt(variance);
}

function percent(rate: number): string {
  return `${Number((rate * 100).toPrecision(3))} %`;
}

function secondsOf(field: string, value: number): bigint {
  if (typeof value !== 'number' || !(value > 0) || value > MAX_SECONDS) {
    throw new RangeError(
      `${CALLER}: ${field} must be a number above 0, up to ${MAX_SECONDS}, got ${shown(value)}`,
    );
  }
  return BigInt(Math.round(value * 1e9));
}

function earlier(time: bigint, nanos: bigint): bigint {
  return time > nanos ? time - nanos : 0n;
}
