import type { SpanLink } from '../../span.ts';
import { StatusCode } from '../../span.ts';
import { INVALID_SPAN, type SpanHandle, type TracerPlugin } from '../../tracer-plugin.ts';
import { named, type PluginRule } from '../plugin-trial.ts';
import { check, same, shown } from '../rule.ts';

const link: SpanLink = { context: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) } };

/** Every operation that takes a handle, each with something that would show. */
function touch(plugin: TracerPlugin, span: SpanHandle): void {
  plugin.setAttribute(span, 'touched', true);
  plugin.setStatus(span, { code: StatusCode.ERROR, message: 'touched' });
  plugin.addEvent(span, { name: 'touched' });
  plugin.updateName?.(span, 'touched');
  plugin.addLink?.(span, link);
  plugin.endSpan(span, 1n);
}

/** Rules on handles: what they are, and what the dead and the unknown ones do. */
export const handleRules: readonly PluginRule[] = [
  {
    id: 'handle-integer',
    contract: 'the handle of a sampled span is a safe integer above 0',
    remedy: 'number spans from 1 and return 0 only for a span that is not sampled',
    run(trial) {
      for (let index = 0; index < 100; index++) {
        const span = trial.record({ name: `span ${index}` });
        check(Number.isSafeInteger(span) && span > 0, `startSpan returned ${shown(span)}`);
      }
    },
  },
  {
    id: 'handle-unique',
    contract: 'no two live spans share a handle',
    remedy: 'give a number out again only after the span that had it has ended',
    async run(trial) {
      const live = new Map<SpanHandle, string>();
      for (let index = 0; index < 1000; index++) {
        const name = `span ${index}`;
        const span = trial.start({ name });
        check(!live.has(span), `${name} got the handle ${span}, which ${live.get(span)} has`);
        live.set(span, name);
        if (index % 3 === 0) {
          trial.plugin.endSpan(span);
          live.delete(span);
        }
      }
      for (const span of live.keys()) trial.plugin.endSpan(span);
      same((await trial.delivered()).length, 1000, 'the number of delivered spans');
    },
  },
  {
    id: 'handle-stale',
    contract: 'an operation on the handle of an ended span does nothing',
    remedy: 'forget a handle when its span ends, and give no later span the same number',
    async run(trial) {
      const { plugin } = trial;
      const stale = trial.record({ name: 'first' });
      const live = trial.start({ name: 'second' });
      touch(plugin, stale);
      same(plugin.spanContext?.(stale), undefined, 'spanContext of an ended span');
      plugin.setAttribute(live, 'alive', true);
      plugin.endSpan(live);
      touch(plugin, live);

      const spans = await trial.delivered();
      same(spans.map((span) => span.name).sort(), ['first', 'second'], 'the names of the delivered spans');
      same(named(spans, 'first').attributes, {}, 'the attributes of a span that was touched after its end');
      same(named(spans, 'second').attributes, { alive: true }, 'the attributes of the span started after it');
      for (const span of spans) {
        same(span.status, { code: StatusCode.UNSET, message: '' }, `the status of ${span.name}`);
        same(span.events, [], `the events of ${span.name}`);
        same(span.links, [], `the links of ${span.name}`);
        check(span.endTimeUnixNanos > 1n, `${span.name} was ended by a stale handle`);
      }
    },
  },
  {
    id: 'handle-reused',
    contract: 'a stale handle never touches a later span, also not after a million of them',
    remedy:
      'put a generation of 30 bits or more beside the slot in the number, or count up and never start again',
    request: { keep: false },
    async run(trial) {
      const { plugin } = trial;
      const keeper = trial.start({ name: 'keeper' });
      const stale = new Set<SpanHandle>();
      const together = Array.from({ length: 16 }, (_, index) => trial.start({ name: `early ${index}` }));
      for (const span of together) {
        plugin.endSpan(span);
        stale.add(span);
      }
      for (let index = 1; index <= trial.reuses; index++) {
        const span = plugin.startSpan({ name: 'reuse' });
        if (stale.has(span) || span === keeper) {
          const whose = span === keeper ? 'a live span' : 'a span that ended long ago';
          check(false, `after ${index} more spans, the handle ${span} of ${whose} was given out again`);
        }
        plugin.endSpan(span);
        if (index % 4096 === 0) await trial.flush();
      }
      plugin.endSpan(keeper);
    },
  },
  {
    id: 'handle-unknown',
    contract: 'an operation on a handle that the plugin never returned does nothing',
    remedy: 'check that the handle is the one of a live span before anything else',
    async run(trial) {
      const { plugin } = trial;
      const live = trial.start({ name: 'live' });
      check(Number.isSafeInteger(live), `the handle ${shown(live)} is no safe integer`);
      const unknown = [
        INVALID_SPAN,
        -1,
        -live,
        1.5,
        live + 0.5,
        live + 2 ** 32,
        live + 2 ** 52,
        2 ** 31,
        2 ** 60,
        Number.MAX_SAFE_INTEGER,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        undefined as unknown as number,
        null as unknown as number,
        String(live) as unknown as number,
        [live] as unknown as number,
        { valueOf: () => live } as unknown as number,
        BigInt(live) as unknown as number,
      ];
      for (const span of unknown) {
        touch(plugin, span);
        same(plugin.spanContext?.(span), undefined, `spanContext(${shown(span)})`);
      }
      plugin.setAttribute(live, 'alive', true);
      plugin.endSpan(live);
      const span = await trial.only();
      same(span.name, 'live', 'the name of the live span');
      same(span.attributes, { alive: true }, 'the attributes of the live span');
      same(span.status.code, StatusCode.UNSET, 'the status of the live span');
      same(span.events, [], 'the events of the live span');
      same(span.links, [], 'the links of the live span');
    },
  },
  {
    id: 'end-once',
    contract: 'a span ends once, at the first endSpan',
    remedy: 'make the handle dead in endSpan, so that a second call finds nothing',
    async run(trial) {
      const span = trial.start({ name: 'span', startTimeUnixNanos: 1_000n });
      trial.plugin.endSpan(span, 2_000n);
      trial.plugin.endSpan(span, 3_000n);
      await trial.flush();
      trial.plugin.endSpan(span, 4_000n);
      same((await trial.only()).endTimeUnixNanos, 2_000n, 'the end of the span');
    },
  },
];
