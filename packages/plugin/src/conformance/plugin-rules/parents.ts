import type { SpanContext, SpanData } from '../../span.ts';
import { INVALID_SPAN, type SpanHandle } from '../../tracer-plugin.ts';
import { named, type PluginRule } from '../plugin-trial.ts';
import { check, same, shown } from '../rule.ts';

const remote: SpanContext = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: 1,
  traceState: 'vendor=value,other=1',
};
const own: SpanContext = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' };

const knownBit = 0x100;
const remoteBit = 0x200;

function isRoot(span: SpanData): void {
  same(span.parentSpanId, '', `the parent of ${span.name}`);
  check((span.flags & remoteBit) === 0, `${span.name} has no parent, but its flags say that it is remote`);
}

function isChild(span: SpanData, parent: SpanData): void {
  same(span.traceId, parent.traceId, `the trace id of ${span.name}`);
  same(span.parentSpanId, parent.spanId, `the parent of ${span.name}`);
}

/** Rules on identity: ids, parents in this process and in others, identities given from outside. */
export const parentRules: readonly PluginRule[] = [
  {
    id: 'ids',
    contract:
      'a root starts a trace of its own, every span has an id of its own, lower-case hex and not zero',
    remedy: 'draw 16 and 8 random bytes for each, again if all are 0, and write two hex digits for each byte',
    async run(trial) {
      for (let index = 0; index < 500; index++) trial.record({ name: 'span' });
      const spans = await trial.delivered();
      for (const { traceId, spanId } of spans) {
        check(/^(?!0+$)[0-9a-f]{32}$/.test(traceId), `${shown(traceId)} is no trace id`);
        check(/^(?!0+$)[0-9a-f]{16}$/.test(spanId), `${shown(spanId)} is no span id`);
      }
      same(new Set(spans.map((span) => span.traceId)).size, 500, 'the number of traces of 500 roots');
      same(new Set(spans.map((span) => span.spanId)).size, 500, 'the number of ids of 500 spans');
      for (const span of spans) isRoot(span);
    },
  },
  {
    id: 'parent-live',
    contract: 'a span with a live parent belongs to its trace and names it as its parent',
    remedy: 'look the handle in `parent` up and copy its trace id; its span id becomes the parent span id',
    async run(trial) {
      const { plugin } = trial;
      const root = trial.start({ name: 'root' });
      const child = trial.start({ name: 'child', parent: root });
      trial.record({ name: 'grandchild', parent: child });
      trial.record({ name: 'second child', parent: root, remoteParent: remote });
      plugin.endSpan(child);
      plugin.endSpan(root);
      const spans = await trial.delivered();
      same(spans.length, 4, 'the number of delivered spans');
      isRoot(named(spans, 'root'));
      isChild(named(spans, 'child'), named(spans, 'root'));
      isChild(named(spans, 'grandchild'), named(spans, 'child'));
      isChild(named(spans, 'second child'), named(spans, 'root'));
      for (const { name, flags } of spans) {
        check((flags & remoteBit) === 0, `the flags of ${name} say that its parent is remote`);
      }
    },
  },
  {
    id: 'parent-dead',
    contract: 'a span whose parent has ended is a root',
    remedy: 'treat the handle of an ended span as unknown',
    async run(trial) {
      const dead = trial.record({ name: 'ended' });
      trial.record({ name: 'late', parent: dead });
      const spans = await trial.delivered();
      isRoot(named(spans, 'late'));
      check(
        named(spans, 'late').traceId !== named(spans, 'ended').traceId,
        'late joined the trace of a dead span',
      );
    },
  },
  {
    id: 'parent-unknown',
    contract: 'a span whose parent is unknown is a root, and is recorded',
    remedy: 'start a new trace when the handle in `parent` is not the one of a live span',
    async run(trial) {
      const live = trial.start({ name: 'live' });
      const unknown = [live + 2 ** 40, -1, 1.5, Number.NaN, 2 ** 60] as SpanHandle[];
      for (const parent of unknown) trial.record({ name: `parent ${parent}`, parent });
      trial.plugin.endSpan(live);
      const spans = await trial.delivered();
      for (const parent of unknown) isRoot(named(spans, `parent ${parent}`));
      same(new Set(spans.map((span) => span.traceId)).size, unknown.length + 1, 'the number of traces');
    },
  },
  {
    id: 'parent-invalid',
    contract: 'a child of INVALID_SPAN is INVALID_SPAN and is not recorded',
    remedy: 'return 0 at once when `parent` is 0, whatever else is given',
    async run(trial) {
      const starts = [
        { name: 'child', parent: INVALID_SPAN },
        { name: 'child with a remote parent', parent: INVALID_SPAN, remoteParent: remote },
        { name: 'child with an identity', parent: INVALID_SPAN, context: own },
      ];
      for (const start of starts) {
        const span = trial.plugin.startSpan(start);
        same(span, INVALID_SPAN, `the handle of a ${start.name}`);
        trial.plugin.setAttribute(span, 'key', 1);
        trial.plugin.endSpan(span);
      }
      same((await trial.delivered()).length, 0, 'the number of delivered spans');
    },
  },
  {
    id: 'unsampled',
    contract: 'a span that is not sampled has the handle INVALID_SPAN and is not delivered',
    remedy: 'ask the sampler before anything is recorded, and return 0 if it says no',
    request: { sampled: false },
    async run(trial) {
      for (const start of [{ name: 'root' }, { name: 'child', remoteParent: { ...remote, traceFlags: 0 } }]) {
        const span = trial.plugin.startSpan(start);
        same(span, INVALID_SPAN, `the handle of an unsampled ${start.name}`);
        trial.plugin.endSpan(span);
      }
      same((await trial.delivered()).length, 0, 'the number of delivered spans');
    },
  },
  {
    id: 'parent-remote',
    contract: 'a span with a remote parent belongs to its trace and names it as its parent',
    remedy:
      'copy the ids of `remoteParent` when there is no live `parent`; if OTLP flags are kept, set bits 8 and 9',
    async run(trial) {
      const { traceState: _, traceFlags: __, ...bare } = remote;
      trial.record({ name: 'entry', remoteParent: remote });
      trial.record({ name: 'bare', remoteParent: bare });
      for (const span of await trial.delivered()) {
        same(span.traceId, remote.traceId, `the trace id of ${span.name}`);
        same(span.parentSpanId, remote.spanId, `the parent of ${span.name}`);
        check(span.spanId !== remote.spanId, `${span.name} took the span id of its parent`);
        check(
          (span.flags & knownBit) === 0 || (span.flags & remoteBit) !== 0,
          `the flags of ${span.name} say that its parent is not remote`,
        );
      }
    },
  },
  {
    id: 'trace-state',
    contract:
      'the trace state passes from a parent to its children, remote or not, and `context` brings its own',
    remedy: 'keep the trace state with the span, as it came, and copy it from the parent',
    async run(trial) {
      const entry = trial.start({ name: 'entry', remoteParent: remote });
      trial.record({ name: 'child', parent: entry });
      trial.plugin.endSpan(entry);
      trial.record({ name: 'own', context: { ...own, traceState: 'mine=1' } });
      trial.record({ name: 'none' });
      const spans = await trial.delivered();
      same(named(spans, 'entry').traceState, remote.traceState, 'the trace state of entry');
      same(named(spans, 'child').traceState, remote.traceState, 'the trace state of child');
      same(named(spans, 'own').traceState, 'mine=1', 'the trace state of own');
      same(named(spans, 'none').traceState, '', 'the trace state of none');
    },
  },
  {
    id: 'context-given',
    contract: 'a span takes the trace id and span id of `context`, before those of any parent',
    remedy: 'use both ids of `context` as they are; the parent then only gives the parent span id',
    async run(trial) {
      const parent = trial.start({ name: 'parent' });
      const contexts = [0, 1, 2].map((index) => ({ ...own, spanId: `00f067aa0ba902b${index}` }));
      trial.record({ name: 'alone', context: contexts[0]! });
      trial.record({ name: 'with a parent', context: contexts[1]!, parent });
      trial.record({ name: 'with a remote parent', context: contexts[2]!, remoteParent: remote });
      trial.plugin.endSpan(parent);
      const spans = await trial.delivered();
      for (const [index, name] of ['alone', 'with a parent', 'with a remote parent'].entries()) {
        same(named(spans, name).traceId, own.traceId, `the trace id of the span ${name}`);
        same(named(spans, name).spanId, contexts[index]!.spanId, `the span id of the span ${name}`);
      }
      isRoot(named(spans, 'alone'));
      same(named(spans, 'with a parent').parentSpanId, named(spans, 'parent').spanId, 'the parent span id');
      same(named(spans, 'with a remote parent').parentSpanId, remote.spanId, 'the remote parent span id');
    },
  },
  {
    id: 'span-context',
    contract:
      'spanContext gives the identity of a live span as it is delivered, and undefined for any other handle',
    remedy: 'return the ids that the span will carry, with the sampled flag (bit 0 of traceFlags) set',
    async run(trial) {
      const { plugin } = trial;
      if (plugin.spanContext === undefined) return 'the plugin has no spanContext';
      const entry = trial.start({ name: 'entry', remoteParent: remote });
      const child = trial.start({ name: 'child', parent: entry });
      const fixed = trial.start({ name: 'fixed', context: own });
      const said = [entry, child, fixed].map((span) => plugin.spanContext?.(span));
      for (const span of [fixed, child, entry]) plugin.endSpan(span);
      for (const span of [entry, INVALID_SPAN, -1, Number.NaN, 2 ** 52]) {
        same(plugin.spanContext(span), undefined, `spanContext(${span}), which is no live span`);
      }
      const spans = await trial.delivered();
      for (const [index, name] of ['entry', 'child', 'fixed'].entries()) {
        const context = said[index];
        const span = named(spans, name);
        check(context !== undefined, `spanContext of the live span ${name} is undefined`);
        same(context.traceId, span.traceId, `the trace id that spanContext told of ${name}`);
        same(context.spanId, span.spanId, `the span id that spanContext told of ${name}`);
        same(context.traceState ?? '', span.traceState, `the trace state that spanContext told of ${name}`);
        check(((context.traceFlags ?? 1) & 1) === 1, `spanContext says that ${name} is not sampled`);
      }
      return undefined;
    },
  },
];
