// Spans as what must be the same when two tracers record the same program.
import { type SpanData, type TraceNode, traceTree } from '@tracewell/plugin';

/**
 * The spans as trees, in an order of their own, without what differs from run to run: ids, the times of the
 * clock and the ports that the system chose.
 *
 * @param keepTimes - for a program that gives all times itself
 */
export function comparableForest(spans: readonly SpanData[], keepTimes = false): unknown[] {
  const traces = Map.groupBy(spans, (span) => span.traceId);
  return comparable(
    [...traces.values()].flatMap((trace) => traceTree(trace)),
    keepTimes,
  );
}

function comparable(nodes: readonly TraceNode[], keepTimes: boolean): unknown[] {
  return nodes
    .map(({ span, children }) => ({
      name: withoutPort(span.name),
      kind: span.kind,
      flags: span.flags,
      traceState: span.traceState,
      isRoot: span.parentSpanId === '',
      status: { ...span.status },
      scope: [span.scope.name, span.scope.version, span.scope.schemaUrl],
      attributes: comparableAttributes(span.attributes),
      events: span.events.map((event) => [
        event.name,
        comparableAttributes(event.attributes),
        keepTimes && String(event.timeUnixNanos),
      ]),
      links: span.links.map((link) => [link.flags, link.traceState, comparableAttributes(link.attributes)]),
      dropped: [span.droppedAttributesCount, span.droppedEventsCount, span.droppedLinksCount],
      times: keepTimes && [String(span.startTimeUnixNanos), String(span.endTimeUnixNanos)],
      children: comparable(children, keepTimes),
    }))
    .sort((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)));
}

function comparableAttributes(attributes: SpanData['attributes']): unknown {
  return Object.fromEntries(
    Object.entries(attributes)
      .map(([key, value]) => {
        if (/port$/.test(key)) return [key, 'PORT'];
        // Where it was thrown is the program's; how it got there is the tracer's.
        if (key === 'exception.stacktrace') return [key, String(value).split('\n')[0]];
        return [key, withoutPort(value)];
      })
      .sort(([a], [b]) => String(a).localeCompare(String(b))),
  );
}

function withoutPort(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT') : value;
}
