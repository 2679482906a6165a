import type { AttributeValue } from '../../attributes.ts';
import { SpanKind, StatusCode } from '../../span.ts';
import { named, type PluginRule } from '../plugin-trial.ts';
import { same } from '../rule.ts';

/** Everything that can be passed in, mutable, made anew. */
function inputs() {
  const bytes = new Uint8Array([1, 2, 3]);
  const inner: Record<string, AttributeValue> = { deep: 'before' };
  const list: AttributeValue[] = ['before', inner];
  const attributes: Record<string, AttributeValue> = { text: 'before', list, bytes };
  const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceState: 'before=1' };
  const link = { context, attributes };
  const links = [link];
  const event = { name: 'before', attributes, timeUnixNanos: 5n };
  const status: { code: StatusCode; message: string } = { code: StatusCode.ERROR, message: 'before' };
  const remoteParent = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), traceState: 'before=1' };
  const start = {
    name: 'before',
    kind: SpanKind.SERVER as SpanKind,
    attributes,
    links,
    remoteParent,
    startTimeUnixNanos: 5n,
  };
  return { bytes, inner, list, attributes, context, links, event, status, remoteParent, start };
}

function spoil(made: ReturnType<typeof inputs>): void {
  made.bytes.fill(255);
  made.inner.deep = 'after';
  made.list[0] = 'after';
  made.list.push('after');
  made.attributes.text = 'after';
  made.attributes.late = 'after';
  Object.assign(made.context, { traceId: 'e'.repeat(32), spanId: 'f'.repeat(16), traceState: 'after=1' });
  made.links.push({ context: { ...made.context }, attributes: {} });
  Object.assign(made.event, { name: 'after', attributes: {}, timeUnixNanos: 6n });
  Object.assign(made.status, { code: StatusCode.OK, message: 'after' });
  Object.assign(made.remoteParent, made.context);
  Object.assign(made.start, { name: 'after', kind: SpanKind.CLIENT, attributes: {}, links: [] });
}

const kept = { text: 'before', list: ['before', { deep: 'before' }], bytes: new Uint8Array([1, 2, 3]) };

/** Rules on who owns what is passed in. */
export const referenceRules: readonly PluginRule[] = [
  {
    id: 'no-references',
    contract: 'what the caller changes after a call changes nothing in the span',
    remedy: 'encode or copy what is passed in, nested values and bytes included, before the call returns',
    async run(trial) {
      const { plugin } = trial;
      const started = inputs();
      const span = trial.start(started.start);
      spoil(started);
      const set = inputs();
      plugin.setAttribute(span, 'list', set.list);
      plugin.setAttribute(span, 'bytes', set.bytes);
      plugin.setStatus(span, set.status);
      plugin.addEvent(span, set.event);
      plugin.addLink?.(span, set.links[0]!);
      spoil(set);
      plugin.endSpan(span);

      const got = await trial.only();
      same(got.name, 'before', 'the name');
      same(got.kind, SpanKind.SERVER, 'the kind');
      same(got.traceId, 'c'.repeat(32), 'the trace id');
      same(got.parentSpanId, 'd'.repeat(16), 'the parent span id');
      same(got.traceState, 'before=1', 'the trace state');
      same(got.startTimeUnixNanos, 5n, 'the start');
      same(got.attributes, kept, 'the attributes');
      same(got.status, { code: StatusCode.ERROR, message: 'before' }, 'the status');
      same(got.events.length, 1, 'the number of events');
      same(got.events[0]?.name, 'before', 'the name of the event');
      same(got.events[0]?.timeUnixNanos, 5n, 'the time of the event');
      same(got.events[0]?.attributes, kept, 'the attributes of the event');
      same(got.links.length, plugin.addLink === undefined ? 1 : 2, 'the number of links');
      for (const link of got.links) {
        same(link.traceId, 'a'.repeat(32), 'the trace id of a link');
        same(link.spanId, 'b'.repeat(16), 'the span id of a link');
        same(link.traceState, 'before=1', 'the trace state of a link');
        same(link.attributes, kept, 'the attributes of a link');
      }
    },
  },
  {
    id: 'inputs-unchanged',
    contract: 'a plugin does not change what it is passed: a caller may pass the same object again',
    remedy: 'write to copies of your own only',
    async run(trial) {
      const { plugin } = trial;
      const made = inputs();
      for (const name of ['first', 'second']) {
        const span = trial.start({ ...made.start, name, attributes: made.attributes, links: made.links });
        plugin.setAttribute(span, 'list', made.list);
        plugin.setStatus(span, made.status);
        plugin.addEvent(span, made.event);
        plugin.addLink?.(span, made.links[0]!);
        plugin.setAttribute(span, 'extra', name);
        plugin.endSpan(span);
      }
      same(made, inputs(), 'what was passed in');
      const spans = await trial.delivered();
      for (const name of ['first', 'second']) {
        same(named(spans, name).attributes, { ...kept, extra: name }, `the attributes of the ${name} span`);
      }
    },
  },
];
