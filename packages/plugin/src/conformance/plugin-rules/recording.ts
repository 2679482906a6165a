import { type Attributes, type AttributeValue, Double } from '../../attributes.ts';
import { type InstrumentationScope, SpanKind, type SpanLink, StatusCode } from '../../span.ts';
import { named, type PluginRule } from '../plugin-trial.ts';
import { check, same } from '../rule.ts';

/** A value of every kind that OTLP has, and those on the edges between two kinds. */
const everyValue: Record<string, AttributeValue> = {
  string: 'text',
  empty: '',
  unicode: 'Zürich 東京 🚀 \u0000 end',
  long: 'x'.repeat(5000),
  true: true,
  false: false,
  zero: 0,
  negative: -1,
  'negative zero': -0,
  integer: Number.MAX_SAFE_INTEGER,
  'negative integer': Number.MIN_SAFE_INTEGER,
  'beyond the safe integers': 2 ** 53,
  fraction: 0.1,
  tiny: 5e-324,
  NaN: Number.NaN,
  infinity: Number.NEGATIVE_INFINITY,
  bigint: 12n,
  'largest bigint': 2n ** 63n - 1n,
  'smallest bigint': -(2n ** 63n),
  'whole double': new Double(1),
  'zero double': new Double(0),
  'fractional double': new Double(1.5),
  bytes: new Uint8Array([0, 255, 1, 128]),
  'no bytes': new Uint8Array(),
  null: null,
  array: ['a', 1, true, null, 2.5, new Uint8Array([7])],
  'no elements': [],
  map: { a: 1, b: 'two', nested: { c: [1, [2, { d: null }]] } },
  'no keys': {},
  // Names that an object has by itself must pass like any other.
  ['__proto__']: 'key',
  constructor: 'key',
  toString: 'key',
  hasOwnProperty: 'key',
};

const contextOf = (digit: string) => ({ traceId: digit.repeat(32), spanId: digit.repeat(16) });

/** Rules on what a span records: name, kind, attributes, status, events, links, times, scope. */
export const recordingRules: readonly PluginRule[] = [
  {
    id: 'name-and-kind',
    contract: 'a span is delivered with the name and kind that it was started with, INTERNAL by default',
    remedy: 'keep `name` and `kind` of startSpan; an absent kind is SpanKind.INTERNAL',
    async run(trial) {
      for (const kind of Object.values(SpanKind)) trial.record({ name: `kind ${kind}`, kind });
      trial.record({ name: 'Zürich 東京 🚀' });
      trial.record({ name: '' });
      const spans = await trial.delivered();
      for (const kind of Object.values(SpanKind)) {
        same(named(spans, `kind ${kind}`).kind, kind, `the kind of a span started with ${kind}`);
      }
      same(named(spans, 'Zürich 東京 🚀').kind, SpanKind.INTERNAL, 'the kind of a span started without one');
      named(spans, '');
    },
  },
  {
    id: 'update-name',
    contract: 'updateName renames a live span',
    remedy: 'overwrite the name that startSpan gave; the last call wins',
    async run(trial) {
      if (trial.plugin.updateName === undefined) return 'the plugin has no updateName';
      trial.record({ name: 'before' }, (span) => {
        trial.plugin.updateName?.(span, 'between');
        trial.plugin.updateName?.(span, 'a name that is longer than the first');
      });
      same((await trial.only()).name, 'a name that is longer than the first', 'the name');
      return undefined;
    },
  },
  {
    id: 'attribute-start',
    contract: 'attributes given to startSpan are those of the span; a key whose value is undefined is absent',
    remedy: 'treat `attributes` of startSpan as one setAttribute for each entry, and leave out undefined',
    async run(trial) {
      const attributes: Attributes = { a: 1, b: 'two', gone: undefined };
      trial.record({ name: 'span', attributes }, (span) => trial.plugin.setAttribute(span, 'c', 3));
      same((await trial.only()).attributes, { a: 1, b: 'two', c: 3 }, 'the attributes');
    },
  },
  {
    id: 'attribute-types',
    contract: 'every AttributeValue comes back with its type and its value',
    remedy:
      'follow the table on AttributeValue: safe integers and bigints are integers, all else is a double',
    async run(trial) {
      trial.record({ name: 'set' }, (span) => {
        for (const [key, value] of Object.entries(everyValue)) trial.plugin.setAttribute(span, key, value);
      });
      trial.record({ name: 'start', attributes: everyValue });
      trial.record({ name: 'event' }, (span) =>
        trial.plugin.addEvent(span, { name: 'event', attributes: everyValue }),
      );
      const spans = await trial.delivered();
      const places: readonly (readonly [string, Attributes | undefined])[] = [
        ['set', named(spans, 'set').attributes],
        ['start', named(spans, 'start').attributes],
        ['event', named(spans, 'event').events[0]?.attributes],
      ];
      for (const [place, attributes] of places) {
        for (const [key, value] of Object.entries(everyValue)) {
          const got =
            attributes && Object.hasOwn(attributes, key) ? attributes[key] : Symbol('no such attribute');
          same(got, value, `the attribute ${key} (${place})`);
        }
        same(Object.keys(attributes ?? {}).length, Object.keys(everyValue).length, `the count (${place})`);
      }
    },
  },
  {
    id: 'attribute-overwrite',
    contract: 'setAttribute overwrites the value of the same key, whatever types the two have',
    remedy: 'keep one value for each key, also for keys that came with startSpan',
    async run(trial) {
      trial.record({ name: 'span', attributes: { first: 'start', kept: 1 } }, (span) => {
        trial.plugin.setAttribute(span, 'first', 2);
        for (const value of ['a', 1, true, ['list'], { map: 1 }, 'a longer text than before', 2]) {
          trial.plugin.setAttribute(span, 'second', value);
        }
        trial.plugin.setAttribute(span, 'third', 'x');
        trial.plugin.setAttribute(span, 'first', 'last');
      });
      const span = await trial.only();
      same(span.attributes, { first: 'last', kept: 1, second: 2, third: 'x' }, 'the attributes');
      same(span.droppedAttributesCount, 0, 'the count of dropped attributes: overwriting drops nothing');
    },
  },
  {
    id: 'status-default',
    contract: 'the status of a span is UNSET until setStatus is called',
    remedy: 'start every span with StatusCode.UNSET and an empty message',
    async run(trial) {
      trial.record({ name: 'span' });
      same((await trial.only()).status, { code: StatusCode.UNSET, message: '' }, 'the status');
    },
  },
  {
    id: 'status-last-wins',
    contract: 'the last setStatus before the end wins, and only an error carries a message',
    remedy: 'overwrite code and message at every call; the message of a status other than ERROR is empty',
    async run(trial) {
      const { plugin } = trial;
      const error = (message: string) => ({ code: StatusCode.ERROR, message });
      trial.record({ name: 'error after ok' }, (span) => {
        plugin.setStatus(span, { code: StatusCode.OK });
        plugin.setStatus(span, error('a long first message'));
        plugin.setStatus(span, error('second'));
      });
      trial.record({ name: 'ok after error' }, (span) => {
        plugin.setStatus(span, error('gone'));
        plugin.setStatus(span, { code: StatusCode.OK });
      });
      trial.record({ name: 'unset after error' }, (span) => {
        plugin.setStatus(span, error('gone'));
        plugin.setStatus(span, { code: StatusCode.UNSET });
      });
      trial.record({ name: 'error without a message' }, (span) => {
        plugin.setStatus(span, error('gone'));
        plugin.setStatus(span, { code: StatusCode.ERROR });
      });
      const spans = await trial.delivered();
      const status = (name: string) => named(spans, name).status;
      same(status('error after ok'), error('second'), 'the status after OK, ERROR, ERROR');
      same(status('ok after error'), { code: StatusCode.OK, message: '' }, 'the status after ERROR, OK');
      same(
        status('unset after error'),
        { code: StatusCode.UNSET, message: '' },
        'the status after ERROR, UNSET',
      );
      same(status('error without a message'), error(''), 'the status after an ERROR without a message');
    },
  },
  {
    id: 'events',
    contract:
      'every event is delivered with its name, its attributes and its time, in the order of the calls',
    remedy: 'append each event to the span; `timeUnixNanos` is taken as given',
    async run(trial) {
      const times = [5_000n, 4_000n, 2n ** 63n - 1n];
      trial.record({ name: 'span' }, (span) => {
        for (const [index, timeUnixNanos] of times.entries()) {
          trial.plugin.addEvent(span, { name: `event ${index}`, timeUnixNanos, attributes: { index } });
        }
        trial.plugin.addEvent(span, { name: 'event 0' });
      });
      const { events } = await trial.only();
      const names = ['event 0', 'event 1', 'event 2', 'event 0'];
      same(
        events.map((event) => event.name),
        names,
        'the names of the events',
      );
      same(
        events.slice(0, 3).map((event) => event.timeUnixNanos),
        times,
        'the times of the events',
      );
      same(
        events.map((event) => event.attributes),
        [{ index: 0 }, { index: 1 }, { index: 2 }, {}],
        'the attributes',
      );
    },
  },
  {
    id: 'links-start',
    contract: 'links given to startSpan are delivered with ids, trace state and attributes, in their order',
    remedy: 'keep `links` of startSpan with the span',
    async run(trial) {
      const links: SpanLink[] = [
        { context: { ...contextOf('a'), traceState: 'vendor=1' }, attributes: { first: true } },
        { context: contextOf('b') },
      ];
      trial.record({ name: 'span', links });
      const got = (await trial.only()).links;
      same(
        got.map((link) => link.traceId),
        links.map((link) => link.context.traceId),
        'the trace ids',
      );
      same(
        got.map((link) => link.spanId),
        links.map((link) => link.context.spanId),
        'the span ids',
      );
      same(
        got.map((link) => link.traceState),
        ['vendor=1', ''],
        'the trace states',
      );
      same(
        got.map((link) => link.attributes),
        [{ first: true }, {}],
        'the attributes',
      );
    },
  },
  {
    id: 'links-add',
    contract: 'addLink appends to the links of a live span',
    remedy: 'treat addLink like one more link of startSpan',
    async run(trial) {
      if (trial.plugin.addLink === undefined) return 'the plugin has no addLink';
      trial.record({ name: 'span', links: [{ context: contextOf('a') }] }, (span) => {
        trial.plugin.addLink?.(span, { context: contextOf('b'), attributes: { late: 1 } });
        trial.plugin.addLink?.(span, { context: contextOf('c') });
      });
      const { links } = await trial.only();
      same(
        links.map((link) => link.spanId[0]),
        ['a', 'b', 'c'],
        'the first digits of the linked span ids',
      );
      same(links[1]?.attributes, { late: 1 }, 'the attributes of the second link');
      return undefined;
    },
  },
  {
    id: 'time-given',
    contract:
      'start and end times are recorded as given, to the nanosecond, also when the end lies before the start',
    remedy: 'keep times as 64-bit integers (bigint), never as milliseconds or as a number; 0n is a time',
    async run(trial) {
      const times: readonly (readonly [bigint, bigint])[] = [
        [1_700_000_000_123_456_789n, 1_700_000_001_987_654_321n],
        [2_000n, 1_000n],
        [0n, 0n],
        [1n, 2n ** 63n - 1n],
        [2n ** 53n + 1n, 2n ** 64n - 1n],
      ];
      for (const [index, [start, end]] of times.entries()) {
        trial.plugin.endSpan(trial.start({ name: `span ${index}`, startTimeUnixNanos: start }), end);
      }
      const spans = await trial.delivered();
      for (const [index, [start, end]] of times.entries()) {
        const span = named(spans, `span ${index}`);
        same(span.startTimeUnixNanos, start, `the start of span ${index}`);
        same(span.endTimeUnixNanos, end, `the end of span ${index}`);
      }
    },
  },
  {
    id: 'time-default',
    contract: 'times that are not given are those of the calls, in nanoseconds since the Unix epoch',
    remedy: 'read the wall clock in startSpan, addEvent and endSpan, and never let it go back within a span',
    async run(trial) {
      // Clocks that are anchored once may be off by a little; a wrong unit or epoch is off by years.
      const tolerance = 2_000_000_000n;
      const now = () => BigInt(Date.now()) * 1_000_000n;
      const before = now();
      const span = trial.start({ name: 'span' });
      await new Promise((resolve) => setTimeout(resolve, 20));
      trial.plugin.addEvent(span, { name: 'event' });
      trial.plugin.endSpan(span);
      const after = now();
      const got = await trial.only();
      const eventTime = got.events[0]?.timeUnixNanos ?? 0n;
      for (const [what, time] of [
        ['the start', got.startTimeUnixNanos],
        ['the event', eventTime],
        ['the end', got.endTimeUnixNanos],
      ] as const) {
        check(
          time >= before - tolerance && time <= after + tolerance,
          `${what} is at ${time}, the call was between ${before} and ${after}`,
        );
      }
      check(got.startTimeUnixNanos <= eventTime, 'the event lies before the start of its span');
      check(eventTime <= got.endTimeUnixNanos, 'the event lies after the end of its span');
      const duration = got.endTimeUnixNanos - got.startTimeUnixNanos;
      check(duration >= 15_000_000n, `a span of 20 ms was recorded with ${duration} ns`);
    },
  },
  {
    id: 'scope',
    contract: 'every span is delivered with the instrumentation scope that it was started with',
    remedy: 'keep `scope` with the span, and group spans by it only where all its fields are equal',
    async run(trial) {
      const scopes: Record<string, InstrumentationScope> = {
        plain: { name: 'http' },
        'other version': { name: 'http', version: '2.0.0' },
        'with a schema': { name: 'http', version: '2.0.0', schemaUrl: 'https://example.com/schema' },
        'with attributes': { name: 'http', version: '2.0.0', attributes: { edition: 'blue' } },
        other: { name: 'pg', version: '8' },
      };
      // Interleaved, so that spans of one scope are not neighbours; once as a copy that is equal only.
      for (const round of [0, 1]) {
        for (const [what, scope] of Object.entries(scopes)) {
          trial.record({ name: `${what} ${round}`, scope: round === 0 ? scope : { ...scope } });
        }
      }
      trial.record({ name: 'none' });
      const spans = await trial.delivered();
      for (const round of [0, 1]) {
        for (const [what, scope] of Object.entries(scopes)) {
          const got = named(spans, `${what} ${round}`).scope;
          same(got.name, scope.name, `the scope name of the span ${what}`);
          same(got.version, scope.version ?? '', `the scope version of the span ${what}`);
          same(got.schemaUrl, scope.schemaUrl ?? '', `the scope schema of the span ${what}`);
          same(got.attributes, scope.attributes ?? {}, `the scope attributes of the span ${what}`);
        }
      }
      check(
        !['http', 'pg'].includes(named(spans, 'none').scope.name),
        'a span without a scope got one of another',
      );
    },
  },
];
