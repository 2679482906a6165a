import { StatusCode } from '@tracewell/plugin';
import { FLAG_STATUS } from '../hot/spans/row.ts';
import { checkFields, checkLimit, checkStrings, planWindow, type TimeWindow } from '../query/check.ts';
import { Figures, OTHERS, type SpanFigures, serviceFilter } from './figures.ts';
import type { SpanFacts } from './span-facts.ts';

/** What {@link Store.querySummary} takes. */
export interface SummaryQuery {
  /** Only spans of this service. Default: all. */
  readonly service?: string | undefined;
  /** Spans that started then or later. Nanoseconds since the Unix epoch, or a date. */
  readonly startTime?: bigint | Date | undefined;
  /** Spans that started before that. Nanoseconds since the Unix epoch, or a date. */
  readonly endTime?: bigint | Date | undefined;
  /** Spans that started within the last so many seconds. Not together with `startTime`. */
  readonly lastSeconds?: number | undefined;
  /** Services and operations to list at most, 1 to 1,000. Default 10. */
  readonly limit?: number | undefined;
}

/** What happened, in numbers. */
export interface Summary extends SpanFigures {
  /** Those first that have the most spans. */
  readonly services: readonly ServiceFigures[];
  /** Operations that failed at least once, those first that did so most often. */
  readonly failingOperations: readonly OperationFigures[];
  /** Those first that the most time went to. */
  readonly slowestOperations: readonly OperationFigures[];
  /** The log records of the window. */
  readonly logs: LogFigures;
  /** Why spans may be missing from the figures, each reason once; absent if none are. */
  readonly partial?: readonly string[];
}

/** Log records in numbers. */
export interface LogFigures {
  readonly count: number;
  /** How many there are of each range of severities; those without one are `unspecified`. */
  readonly bySeverity: {
    readonly unspecified: number;
    readonly trace: number;
    readonly debug: number;
    readonly info: number;
    readonly warn: number;
    readonly error: number;
    readonly fatal: number;
  };
}

/** A service in numbers. */
export interface ServiceFigures extends SpanFigures {
  readonly service: string;
}

/** An operation in numbers. */
export interface OperationFigures extends ServiceFigures {
  readonly operation: string;
}

/** A checked query with everything filled in. */
export interface SummaryPlan extends TimeWindow {
  readonly service: string | undefined;
  readonly limit: number;
}

const CALLER = 'querySummary';
const FIELDS: ReadonlySet<string> = new Set<keyof SummaryQuery>([
  'service',
  'startTime',
  'endTime',
  'lastSeconds',
  'limit',
]);
const MAX_LIMIT = 1000;
const DEFAULT_LIMIT = 10;

/** Checks a query and fills in what it leaves out. @throws TypeError, RangeError naming the field */
export function planSummary(query: SummaryQuery, nowUnixNanos: bigint): SummaryPlan {
  checkFields(CALLER, 'query', query, FIELDS);
  const { service, limit = DEFAULT_LIMIT } = query;
  checkStrings(CALLER, { service });
  checkLimit(CALLER, limit, MAX_LIMIT);
  return { service, limit, ...planWindow(CALLER, query, nowUnixNanos) };
}

/** Counts and measures the spans of a window. */
export async function summarize(facts: SpanFacts, plan: SummaryPlan): Promise<Omit<Summary, 'logs'>> {
  const { operations } = facts;
  const byOperation = new Figures();
  const byService = new Figures();
  const isWanted = serviceFilter(operations, plan.service);
  await facts.visit(plan, (operation, flags, _startHigh, _startLow, durationBits) => {
    const service = operations.serviceOf(operation);
    if (!isWanted(service)) return;
    const failed = (flags & FLAG_STATUS) === StatusCode.ERROR;
    byOperation.add(operation, durationBits, failed);
    byService.add(service, durationBits, failed);
  });

  const services = byService.groups();
  const found = byOperation.groups();
  const all = new Figures();
  for (const service of services) all.merge(0, byService, service);
  const listed = (groups: number[], rank: (group: number) => number): OperationFigures[] =>
    firstBy(groups, plan.limit, rank).map((operation) => ({
      service: operations.serviceName(operations.serviceOf(operation)) ?? OTHERS,
      operation: operations.name(operation) ?? OTHERS,
      ...byOperation.of(operation),
    }));
  return {
    ...all.of(0),
    services: firstBy(services, plan.limit, (service) => byService.durations.count(service)).map(
      (service) => ({
        service: operations.serviceName(service) ?? OTHERS,
        ...byService.of(service),
      }),
    ),
    failingOperations: listed(
      found.filter((operation) => byOperation.errorCount(operation) > 0),
      (operation) => byOperation.errorCount(operation),
    ),
    slowestOperations: listed(
      found,
      (operation) => byOperation.durations.mean(operation) * byOperation.durations.count(operation),
    ),
  };
}

/** Those that rank highest; of equal ones those with the smaller number. */
function firstBy(groups: readonly number[], limit: number, rank: (group: number) => number): number[] {
  return groups
    .map((group) => ({ group, rank: rank(group) }))
    .sort((a, b) => b.rank - a.rank)
    .slice(0, limit)
    .map(({ group }) => group);
}

/** @param counts - how many there are of each severity number */
export function logFigures(counts: Uint32Array): LogFigures {
  const sum = (first: number, last: number): number =>
    counts.subarray(first, last + 1).reduce((total, count) => total + count, 0);
  return {
    count: sum(0, counts.length),
    // Four numbers for each range: https://opentelemetry.io/docs/specs/otel/logs/data-model/#severity-fields
    bySeverity: {
      unspecified: sum(0, 0),
      trace: sum(1, 4),
      debug: sum(5, 8),
      info: sum(9, 12),
      warn: sum(13, 16),
      error: sum(17, 20),
      fatal: sum(21, counts.length),
    },
  };
}
