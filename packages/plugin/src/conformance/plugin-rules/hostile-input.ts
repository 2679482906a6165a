import type { SpanData } from '../../span.ts';
import { StatusCode } from '../../span.ts';
import { INVALID_SPAN, type TracerPlugin } from '../../tracer-plugin.ts';
import { HOSTILE_VALUES, type HostileValue } from '../hostile-values.ts';
import { named, type PluginRule, type PluginTrial } from '../plugin-trial.ts';
import { check, same, shown } from '../rule.ts';

/** A way to pass something where it does not belong. */
interface Position {
  readonly where: string;
  /** Values of megabytes go only where a value of any size may stand. */
  readonly any?: boolean;
  call(plugin: TracerPlugin, span: number, value: never): unknown;
}

const context = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };

const startPositions: readonly Position[] = [
  { where: 'start', call: (plugin, _, value) => plugin.startSpan(value) },
  { where: 'name', any: true, call: (plugin, _, value) => plugin.startSpan({ name: value }) },
  ...['kind', 'parent', 'remoteParent', 'context', 'attributes', 'links', 'startTimeUnixNanos', 'scope'].map(
    (field): Position => ({
      where: field,
      call: (plugin, _, value) => plugin.startSpan({ name: 'hostile', [field]: value }),
    }),
  ),
  ...['traceId', 'spanId', 'traceFlags', 'traceState'].flatMap((field): Position[] => [
    {
      where: `context.${field}`,
      call: (plugin, _, value) =>
        plugin.startSpan({ name: 'hostile', context: { ...context, [field]: value } }),
    },
    {
      where: `remoteParent.${field}`,
      call: (plugin, _, value) =>
        plugin.startSpan({ name: 'hostile', remoteParent: { ...context, [field]: value } }),
    },
    {
      where: `links[0].context.${field}`,
      call: (plugin, _, value) =>
        plugin.startSpan({ name: 'hostile', links: [{ context: { ...context, [field]: value } }] }),
    },
  ]),
  ...['name', 'version', 'attributes', 'schemaUrl'].map(
    (field): Position => ({
      where: `scope.${field}`,
      call: (plugin, _, value) =>
        plugin.startSpan({ name: 'hostile', scope: { name: 'scope', [field]: value } }),
    }),
  ),
  {
    where: 'attributes.value',
    any: true,
    call: (plugin, _, value) => plugin.startSpan({ name: 'hostile', attributes: { value } }),
  },
  { where: 'links[0]', call: (plugin, _, value) => plugin.startSpan({ name: 'hostile', links: [value] }) },
  {
    where: 'links[0].attributes',
    call: (plugin, _, value) =>
      plugin.startSpan({ name: 'hostile', links: [{ context, attributes: value }] }),
  },
];

const operations: readonly { readonly name: string; readonly positions: readonly Position[] }[] = [
  { name: 'startSpan', positions: startPositions },
  {
    name: 'setAttribute',
    positions: [
      { where: 'span', call: (plugin, _, value) => plugin.setAttribute(value, 'key', 1) },
      { where: 'key', any: true, call: (plugin, span, value) => plugin.setAttribute(span, value, 1) },
      { where: 'value', any: true, call: (plugin, span, value) => plugin.setAttribute(span, 'key', value) },
      {
        where: 'value.nested',
        call: (plugin, span, value) => plugin.setAttribute(span, 'key', { nested: [value] }),
      },
    ],
  },
  {
    name: 'setStatus',
    positions: [
      { where: 'span', call: (plugin, _, value) => plugin.setStatus(value, { code: 2 }) },
      { where: 'status', call: (plugin, span, value) => plugin.setStatus(span, value) },
      { where: 'code', call: (plugin, span, value) => plugin.setStatus(span, { code: value, message: 'x' }) },
      {
        where: 'message',
        any: true,
        call: (plugin, span, value) => plugin.setStatus(span, { code: 2, message: value }),
      },
    ],
  },
  {
    name: 'addEvent',
    positions: [
      { where: 'span', call: (plugin, _, value) => plugin.addEvent(value, { name: 'event' }) },
      { where: 'event', call: (plugin, span, value) => plugin.addEvent(span, value) },
      { where: 'name', any: true, call: (plugin, span, value) => plugin.addEvent(span, { name: value }) },
      {
        where: 'timeUnixNanos',
        call: (plugin, span, value) => plugin.addEvent(span, { name: 'event', timeUnixNanos: value }),
      },
      {
        where: 'attributes',
        call: (plugin, span, value) => plugin.addEvent(span, { name: 'event', attributes: value }),
      },
      {
        where: 'attributes.value',
        any: true,
        call: (plugin, span, value) => plugin.addEvent(span, { name: 'event', attributes: { value } }),
      },
    ],
  },
  {
    name: 'endSpan',
    positions: [
      { where: 'span', call: (plugin, _, value) => plugin.endSpan(value) },
      {
        where: 'endTimeUnixNanos',
        call: (plugin, _, value) => plugin.endSpan(plugin.startSpan({ name: 'hostile' }), value),
      },
    ],
  },
  {
    name: 'updateName',
    positions: [
      { where: 'span', call: (plugin, _, value) => plugin.updateName?.(value, 'name') },
      { where: 'name', any: true, call: (plugin, span, value) => plugin.updateName?.(span, value) },
    ],
  },
  {
    name: 'addLink',
    positions: [
      { where: 'span', call: (plugin, _, value) => plugin.addLink?.(value, { context }) },
      { where: 'link', call: (plugin, span, value) => plugin.addLink?.(span, value) },
      { where: 'context', call: (plugin, span, value) => plugin.addLink?.(span, { context: value }) },
      {
        where: 'attributes',
        call: (plugin, span, value) => plugin.addLink?.(span, { context, attributes: value }),
      },
    ],
  },
  {
    name: 'spanContext',
    positions: [{ where: 'span', call: (plugin, _, value) => plugin.spanContext?.(value) }],
  },
];

function called<T>(what: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    check(false, `${what} threw ${shown(error)}`);
  }
}

/** What a plugin still has to do right after anything. */
async function stillWorks(trial: PluginTrial, after: string): Promise<void> {
  const name = `sound, after ${after}`;
  trial.record({ name, attributes: { sound: 1 } }, (span) => {
    trial.plugin.setStatus(span, { code: StatusCode.OK });
    trial.plugin.addEvent(span, { name: 'event' });
  });
  let spans: readonly SpanData[];
  try {
    spans = await trial.delivered();
  } catch (error) {
    check(false, `flush() after ${after} rejected with ${shown(error)}`);
  }
  const span = named(spans, name);
  same(span.attributes, { sound: 1 }, `the attributes of a span recorded after ${after}`);
  same(span.status.code, StatusCode.OK, `the status of a span recorded after ${after}`);
  same(span.events.length, 1, `the number of events of a span recorded after ${after}`);
}

async function attack(trial: PluginTrial, operation: string, positions: readonly Position[]): Promise<void> {
  const { plugin } = trial;
  const attempt = (position: Position, value: HostileValue): void => {
    if (value.huge === true && position.any !== true) return;
    const what = `${operation} with ${value.what} as ${position.where}`;
    const span = trial.start({ name: 'attacked' });
    const result = called(what, () => position.call(plugin, span, value.make() as never));
    if (operation === 'startSpan') {
      check(Number.isSafeInteger(result) && (result as number) >= 0, `${what} returned ${shown(result)}`);
      called(`endSpan after ${what}`, () => plugin.endSpan(result as number));
    }
    called(`endSpan after ${what}`, () => plugin.endSpan(span));
  };
  for (const position of positions) {
    for (const value of HOSTILE_VALUES) attempt(position, value);
    await stillWorks(trial, `${operation} with hostile ${position.where}`);
  }
}

const attacks = operations.map(
  ({ name, positions }): PluginRule => ({
    id: `no-throw-${name}`,
    contract: `${name} never throws, whatever it is passed, and the plugin works as before`,
    remedy:
      'check the type of every argument, read objects inside try/catch, and leave out what cannot be read',
    async run(trial) {
      const required = name as keyof TracerPlugin;
      if (trial.plugin[required] === undefined) return `the plugin has no ${name}`;
      await attack(trial, name, positions);
      return undefined;
    },
  }),
);

/** Rules on input that no sound caller passes. */
export const hostileInputRules: readonly PluginRule[] = [
  ...attacks,
  {
    id: 'hostile-contained',
    contract: 'a value that cannot be recorded costs at most itself: the rest of the span is delivered',
    remedy: 'catch around each attribute, event and link by itself, not around the whole span',
    async run(trial) {
      const { plugin } = trial;
      const values = HOSTILE_VALUES.filter((value) => value.huge !== true);
      for (const [index, value] of values.entries()) {
        trial.record({ name: `span ${index}`, attributes: { first: 1 } }, (span) => {
          plugin.setAttribute(span, 'hostile', value.make() as never);
          plugin.addEvent(span, { name: 'event', attributes: { hostile: value.make() as never, sound: 2 } });
          plugin.setAttribute(span, 'last', 2);
        });
        trial.record({
          name: `start ${index}`,
          attributes: { first: 1, hostile: value.make() as never, last: 2 },
        });
      }
      const spans = await trial.delivered();
      for (const [index, value] of values.entries()) {
        for (const name of [`span ${index}`, `start ${index}`]) {
          const span = named(spans, name);
          const where = `of a span that was given ${value.what}`;
          same([span.attributes.first, span.attributes.last], [1, 2], `the sound attributes ${where}`);
        }
        const event = named(spans, `span ${index}`).events[0];
        same(event?.attributes.sound, 2, `the sound attribute of an event beside ${value.what}`);
      }
    },
  },
  {
    id: 'reentrant',
    contract: 'calls from a getter of what is being read are served or refused, and harm neither span',
    remedy:
      'read what the caller passed before you touch shared buffers, or refuse calls while you are reading',
    async run(trial) {
      const { plugin } = trial;
      const outer = trial.start({ name: 'outer' });
      let served = 0;
      const meddling = () => ({
        get a() {
          plugin.setAttribute(outer, 'from inside', true);
          const inner = plugin.startSpan({
            name: 'inner',
            parent: outer,
            attributes: { inner: 'x'.repeat(300) },
          });
          if (inner !== INVALID_SPAN) served++;
          plugin.endSpan(inner);
          return 'read';
        },
        b: 2,
      });
      plugin.setAttribute(outer, 'before', 1);
      plugin.setAttribute(outer, 'map', meddling());
      plugin.addEvent(outer, { name: 'event', attributes: meddling() });
      trial.record({ name: 'started', attributes: meddling() });
      plugin.setAttribute(outer, 'after', 3);
      plugin.endSpan(outer);
      const ending = trial.start({ name: 'ending' });
      const last = {
        get a() {
          plugin.endSpan(ending);
          return 'ended';
        },
      };
      called('setAttribute with a getter that ends the span', () => plugin.setAttribute(ending, 'map', last));
      plugin.endSpan(ending);

      const spans = await trial.delivered();
      const inner = spans.filter((span) => span.name === 'inner');
      same(inner.length, served, 'the number of spans recorded by getters');
      for (const span of inner) same(span.attributes, { inner: 'x'.repeat(300) }, 'the attributes of inner');
      const { attributes, events } = named(spans, 'outer');
      same([attributes.before, attributes.after], [1, 3], 'the attributes of outer around the getter');
      same(attributes.map, { a: 'read', b: 2 }, 'the attribute of outer that has the getter');
      same(events.length, 1, 'the number of events of outer');
      same(events[0]?.attributes, { a: 'read', b: 2 }, 'the attributes of the event');
      same(named(spans, 'started').attributes, { a: 'read', b: 2 }, 'the attributes of started');
      named(spans, 'ending');
      await stillWorks(trial, 'reentrant calls');
    },
  },
];
