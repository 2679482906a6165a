// Random calls on random handles, live, dead and foreign, against a naive oracle of plain objects. What the
// recorder wrote is read by protobufjs from the published .proto files.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Attributes,
  type AttributeValue,
  type InstrumentationScope,
  type SpanData,
  type SpanEventData,
  type SpanHandle,
  type SpanKind,
  type SpanLinkData,
  StatusCode,
} from '@tracewell/plugin';
import fc from 'fast-check';
import { anyText, anyValue, bare } from '../otlp/arbitrary.ts';
import { ExportTraceServiceRequest, peerDecode } from '../otlp/protobufjs.ts';
import { recording } from './support/recording.ts';

const LIMITS = {
  attributeCountLimit: 5,
  attributeValueLengthLimit: 50,
  eventCountLimit: 3,
  linkCountLimit: 2,
  attributePerEventCountLimit: 2,
  attributePerLinkCountLimit: 1,
};
const SCOPES: readonly (InstrumentationScope | undefined)[] = [
  undefined,
  { name: 'http', version: '1.0' },
  { name: 'pg', schemaUrl: 'https://example.com/1', attributes: { pool: 'a' } },
  { name: 'http', version: '1.0' },
];

// Few keys, so that they repeat; the long one is beyond the cache, the others include what breaks objects.
const anyKey = fc.constantFrom('a', 'b', 'c', 'http.route', '__proto__', '0', 'é', '', 'k'.repeat(200));
const anyAttributes = fc
  .array(fc.tuple(anyKey, anyValue), { maxLength: 4 })
  .map((entries): Attributes => bare(entries));
const anyTime = fc.bigInt(0n, 2n ** 64n - 1n);
const anyIndex = fc.nat(1000);

type Call =
  | { readonly kind: 'start'; readonly name: string; readonly spanKind: SpanKind; readonly parent: number }
  | {
      readonly kind: 'attribute';
      readonly span: number;
      readonly key: string;
      readonly value: AttributeValue;
    }
  | { readonly kind: 'event'; readonly span: number; readonly name: string; readonly attributes: Attributes }
  | { readonly kind: 'link'; readonly span: number; readonly attributes: Attributes }
  | { readonly kind: 'status'; readonly span: number; readonly code: StatusCode; readonly message: string }
  | { readonly kind: 'name'; readonly span: number; readonly name: string }
  | { readonly kind: 'end'; readonly span: number }
  | { readonly kind: 'flush' };
type Step = Call & { readonly time: bigint; readonly scope: number; readonly attributes?: Attributes };

const anyStep: fc.Arbitrary<Step> = fc
  .oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('start' as const),
        name: anyText,
        spanKind: fc.integer({ min: 0, max: 5 }) as fc.Arbitrary<SpanKind>,
        parent: fc.integer({ min: -1, max: 1000 }),
        attributes: anyAttributes,
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('attribute' as const),
        span: anyIndex,
        key: anyKey,
        value: anyValue,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('event' as const),
        span: anyIndex,
        name: anyText,
        attributes: anyAttributes,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('link' as const), span: anyIndex, attributes: anyAttributes }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constant('status' as const),
        span: anyIndex,
        code: fc.constantFrom(StatusCode.UNSET, StatusCode.OK, StatusCode.ERROR),
        message: anyText,
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('name' as const), span: anyIndex, name: anyText }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), span: anyIndex }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  )
  .chain((call) =>
    fc.record({ time: anyTime, scope: fc.nat(SCOPES.length - 1) }).map((rest) => ({ ...call, ...rest })),
  );

/** A span as the oracle sees it: an object that grows. */
interface Expected {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly kind: SpanKind;
  readonly start: bigint;
  readonly scope: InstrumentationScope | undefined;
  readonly attributes: Map<string, AttributeValue>;
  readonly events: SpanEventData[];
  readonly links: SpanLinkData[];
  name: string;
  status: { code: StatusCode; message: string };
  droppedAttributes: number;
  droppedEvents: number;
  droppedLinks: number;
  /** `undefined` while it is live. */
  end: bigint | undefined;
}

/** What the limit on lengths leaves of a value. */
function limited(value: AttributeValue): AttributeValue {
  if (typeof value === 'string') {
    // Whole characters only: one more unit would exceed the limit.
    let kept = '';
    for (const character of value) {
      if (kept.length + character.length > LIMITS.attributeValueLengthLimit) break;
      kept += character;
    }
    return kept;
  }
  if (value instanceof Uint8Array) return value.slice(0, LIMITS.attributeValueLengthLimit);
  if (Array.isArray(value)) return value.map((item: AttributeValue) => limited(item));
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === null) {
    return bare(Object.entries(value).map(([key, item]) => [key, limited(item as AttributeValue)] as const));
  }
  return value;
}

/** The attributes that a limit leaves, and how many it does not. */
function few(
  attributes: Attributes,
  limit: number,
): { attributes: Attributes; droppedAttributesCount: number } {
  const valid = Object.entries(attributes).filter(([key]) => key !== '');
  const kept = valid.slice(0, limit).map(([key, value]) => [key, limited(value!)] as const);
  return { attributes: bare(kept), droppedAttributesCount: Object.keys(attributes).length - kept.length };
}

class Oracle {
  readonly spans: Expected[] = [];

  setAttribute(span: Expected, key: string, value: AttributeValue): void {
    if (key === '' || (!span.attributes.has(key) && span.attributes.size === LIMITS.attributeCountLimit)) {
      span.droppedAttributes++;
    } else {
      span.attributes.set(key, limited(value));
    }
  }

  addEvent(span: Expected, name: string, timeUnixNanos: bigint, attributes: Attributes): void {
    span.events.push({ name, timeUnixNanos, ...few(attributes, LIMITS.attributePerEventCountLimit) });
    if (span.events.length <= LIMITS.eventCountLimit) return;
    span.events.shift();
    span.droppedEvents++;
  }

  addLink(span: Expected, traceId: string, spanId: string, attributes: Attributes): void {
    const limit = LIMITS.attributePerLinkCountLimit;
    span.links.push({ traceId, spanId, traceState: '', flags: 1, ...few(attributes, limit) });
    if (span.links.length <= LIMITS.linkCountLimit) return;
    span.links.shift();
    span.droppedLinks++;
  }

  /** The span as a decoder sees it. */
  data(span: Expected, resource: SpanData['resource']): Omit<SpanData, 'endTimeUnixNanos'> {
    const unfinished = span.end === undefined ? ([['tracewell.unfinished', true]] as const) : [];
    return {
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId,
      traceState: '',
      flags: 0x101,
      name: span.name,
      kind: span.kind,
      startTimeUnixNanos: span.start,
      attributes: bare([...span.attributes, ...unfinished]),
      droppedAttributesCount: span.droppedAttributes,
      events: span.events,
      droppedEventsCount: span.droppedEvents,
      links: span.links,
      droppedLinksCount: span.droppedLinks,
      status: span.status,
      resource,
      scope: {
        name: span.scope?.name ?? '',
        version: span.scope?.version ?? '',
        attributes: bare(Object.entries(span.scope?.attributes ?? {}) as [string, AttributeValue][]),
        droppedAttributesCount: 0,
        schemaUrl: span.scope?.schemaUrl ?? '',
      },
    };
  }
}

function idOf(number: number, digits: number): string {
  return (number + 1).toString(16).padStart(digits, '0');
}

/** In no message may an attribute stand twice: objects would hide that. */
function assertUniqueKeys(bytes: Uint8Array): void {
  JSON.stringify(ExportTraceServiceRequest.decode(bytes), (_name, value: unknown) => {
    const attributes = (value as { attributes?: { key: string }[] } | null)?.attributes;
    if (Array.isArray(attributes)) {
      const keys = attributes.map(({ key }) => key);
      assert.equal(new Set(keys).size, keys.length, `a key stands twice in ${keys.join(', ')}`);
    }
    return value;
  });
}

describe('the recorder and a naive oracle', () => {
  it('agree after any calls on any handles', async () => {
    const anyRun = fc.record({
      steps: fc.array(anyStep, { maxLength: 60, size: 'max' }),
      batchMaxSpans: fc.integer({ min: 1, max: 20 }),
      batchMaxBytes: fc.constantFrom(64, 600, 4096, 65_536),
    });
    await fc.assert(
      fc.asyncProperty(anyRun, async ({ steps, batchMaxSpans, batchMaxBytes }) => {
        const { plugin, batches } = recording({ limits: LIMITS, batchMaxSpans, batchMaxBytes });
        const foreign = recording().plugin;
        const oracle = new Oracle();
        const handles: SpanHandle[] = [];

        for (const step of steps) {
          if (step.kind === 'flush') {
            await plugin.flush();
            continue;
          }
          if (step.kind === 'start') {
            const number = handles.length;
            const parentIndex = number === 0 ? -1 : step.parent % number;
            const parent = parentIndex < 0 ? undefined : oracle.spans[parentIndex]!;
            const isLive = parent !== undefined && parent.end === undefined;
            const traceId = isLive ? parent.traceId : idOf(number, 32);
            const span: Expected = {
              traceId,
              spanId: idOf(number, 16),
              parentSpanId: isLive ? parent.spanId : '',
              kind: step.spanKind,
              start: step.time,
              scope: SCOPES[step.scope],
              attributes: new Map(),
              events: [],
              links: [],
              name: step.name,
              status: { code: StatusCode.UNSET, message: '' },
              droppedAttributes: 0,
              droppedEvents: 0,
              droppedLinks: 0,
              end: undefined,
            };
            oracle.spans.push(span);
            for (const [key, value] of Object.entries(step.attributes!))
              oracle.setAttribute(span, key, value!);
            handles.push(
              plugin.startSpan({
                name: step.name,
                kind: step.spanKind,
                ...(parentIndex < 0 ? {} : { parent: handles[parentIndex]! }),
                context: { traceId, spanId: span.spanId },
                attributes: step.attributes!,
                ...(span.scope === undefined ? {} : { scope: span.scope }),
                startTimeUnixNanos: step.time,
              }),
            );
            continue;
          }
          if (handles.length === 0) continue;
          const index = step.span % handles.length;
          const handle = handles[index]!;
          const span = oracle.spans[index]!;
          const isLive = span.end === undefined;
          // A plugin beside it never knows the handle.
          foreign.setAttribute(handle, 'foreign', true);
          foreign.endSpan(handle);
          switch (step.kind) {
            case 'attribute':
              plugin.setAttribute(handle, step.key, step.value);
              if (isLive) oracle.setAttribute(span, step.key, step.value);
              break;
            case 'event':
              plugin.addEvent(handle, {
                name: step.name,
                attributes: step.attributes,
                timeUnixNanos: step.time,
              });
              if (isLive) oracle.addEvent(span, step.name, step.time, step.attributes);
              break;
            case 'link': {
              const context = { traceId: idOf(index, 32), spanId: idOf(index, 16) };
              plugin.addLink(handle, { context, attributes: step.attributes });
              if (isLive) oracle.addLink(span, context.traceId, context.spanId, step.attributes);
              break;
            }
            case 'status':
              plugin.setStatus(handle, { code: step.code, message: step.message });
              if (isLive) {
                const message = step.code === StatusCode.ERROR ? step.message : '';
                span.status = { code: step.code, message };
              }
              break;
            case 'name':
              plugin.updateName(handle, step.name);
              if (isLive) span.name = step.name;
              break;
            case 'end':
              plugin.endSpan(handle, step.time);
              if (isLive) span.end = step.time;
              break;
          }
        }
        await plugin.shutdown();

        for (const { bytes } of batches) assertUniqueKeys(bytes);
        const written = batches.flatMap(({ bytes }) => peerDecode(bytes));
        assert.equal(written.length, oracle.spans.length);
        for (const { spanCount, bytes } of batches) assert.equal(peerDecode(bytes).length, spanCount);
        for (const { endTimeUnixNanos, ...data } of written) {
          const span = oracle.spans.find(({ spanId }) => spanId === data.spanId)!;
          assert.deepEqual(data, oracle.data(span, data.resource));
          if (span.end !== undefined) assert.equal(endTimeUnixNanos, span.end);
        }
        assert.equal(foreign.stats().ended, 0);
        const { started, ended, live, buffered, refused } = plugin.stats();
        const count = oracle.spans.length;
        assert.deepEqual(
          { started, ended, live, buffered, refused },
          { started: count, ended: count, live: 0, buffered: 0, refused: 0 },
        );
      }),
      { numRuns: 250 },
    );
  });
});
