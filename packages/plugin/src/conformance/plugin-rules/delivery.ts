import { FlushError } from '../../errors.ts';
import type { SpanData } from '../../span.ts';
import { INVALID_SPAN } from '../../tracer-plugin.ts';
import { named, type PluginRule, type PluginTrial } from '../plugin-trial.ts';
import { check, same, shown, within } from '../rule.ts';

const noFlushSync = 'the plugin has no flushSync';
const noShutdown = 'the plugin has no shutdown';
const noFailure = 'the factory gives no failDelivery';

const names = (spans: readonly SpanData[]): string[] => spans.map((span) => span.name).sort();

function isFlushError(error: unknown): asserts error is FlushError {
  check(error instanceof FlushError, `what came is ${shown(error)}, not a FlushError`);
  same(error.code, 'TW_FLUSH_FAILED', 'the code of the FlushError');
  check(
    typeof error.plugin === 'string' && error.plugin !== '',
    `FlushError.plugin is ${shown(error.plugin)}`,
  );
  for (const field of ['retained', 'dropped'] as const) {
    const count = error[field];
    check(Number.isSafeInteger(count) && count >= 0, `FlushError.${field} is ${shown(count)}`);
  }
}

/** Settles as the promise of `call` does; a throw instead of a rejection breaks the rule at hand. */
async function rejection(trial: PluginTrial, what: string, call: () => Promise<void>): Promise<unknown> {
  let promise: Promise<void>;
  try {
    promise = call();
  } catch (error) {
    check(false, `${what} threw ${shown(error)} where it should have rejected`);
  }
  let rejected: { readonly with: unknown } | undefined;
  await within(
    trial.patienceMs,
    what,
    promise.catch((error: unknown) => {
      rejected = { with: error };
    }),
  );
  check(rejected !== undefined, `${what} resolved although nothing could be delivered`);
  return rejected.with;
}

/** Flushes until it works: a plugin may back off after a failure. */
async function recovered(trial: PluginTrial): Promise<readonly SpanData[]> {
  const giveUpAt = Date.now() + trial.patienceMs;
  for (;;) {
    try {
      return await trial.delivered();
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** Rules on flush, flushSync, shutdown and stats. */
export const deliveryRules: readonly PluginRule[] = [
  {
    id: 'flush-covers',
    contract: 'what was ended before a flush was called is delivered when its promise resolves',
    remedy:
      'let a flush that finds another one under way wait for it and then deliver what ended in the meantime',
    async run(trial) {
      const { plugin, subject } = trial;
      trial.record({ name: 'first' });
      const first = plugin.flush();
      trial.record({ name: 'second' });
      const second = plugin.flush();
      trial.record({ name: 'third' });
      await within(trial.patienceMs, 'the first flush()', first);
      const afterFirst = await subject.spans();
      await within(trial.patienceMs, 'the second flush()', second);
      const afterSecond = await subject.spans();
      named(afterFirst, 'first');
      named(afterSecond, 'first');
      named(afterSecond, 'second');
      same(names(await trial.delivered()), ['first', 'second', 'third'], 'the names after the third flush');
    },
  },
  {
    id: 'flush-once',
    contract: 'every ended span is delivered exactly once, and a flush without anything to deliver resolves',
    remedy: 'take what is delivered out of the buffer before the next flush looks at it',
    async run(trial) {
      await trial.flush();
      for (let index = 0; index < 10; index++) trial.record({ name: `span ${index}` });
      await within(
        trial.patienceMs,
        'ten concurrent flush()',
        Promise.all(Array.from({ length: 10 }, () => trial.plugin.flush())),
      );
      await trial.flush();
      const expected = Array.from({ length: 10 }, (_, index) => `span ${index}`);
      same(names(await trial.delivered()), expected, 'the names of the delivered spans');
    },
  },
  {
    id: 'flush-keeps-live',
    contract: 'a flush leaves live spans as they are: they are delivered whole, after their end',
    remedy: 'deliver only ended spans in flush, and keep the live ones apart from the buffer',
    async run(trial) {
      const { plugin } = trial;
      const live = trial.start({ name: 'live', attributes: { before: 1 } });
      trial.record({ name: 'ended' });
      same(names(await trial.delivered()), ['ended'], 'the names delivered while a span is live');
      plugin.setAttribute(live, 'after', 2);
      plugin.addEvent(live, { name: 'event' });
      trial.record({ name: 'child', parent: live });
      plugin.endSpan(live);
      const spans = await trial.delivered();
      same(names(spans), ['child', 'ended', 'live'], 'the names delivered after its end');
      same(named(spans, 'live').attributes, { before: 1, after: 2 }, 'its attributes');
      same(named(spans, 'live').events.length, 1, 'the number of its events');
      same(named(spans, 'child').parentSpanId, named(spans, 'live').spanId, 'the parent of its child');
    },
  },
  {
    id: 'flush-many',
    contract: 'nothing is lost between two flushes, however many spans end',
    remedy:
      'let the buffer grow, hand it on when it is full, or count what it drops and say so in a FlushError',
    async run(trial) {
      const count = 5_000;
      for (let index = 0; index < count; index++) {
        trial.record({ name: 'span', attributes: { index, text: 'x'.repeat(100) } });
      }
      const spans = await trial.delivered();
      const indexes = new Set(spans.map((span) => span.attributes.index));
      same(spans.length, count, 'the number of delivered spans');
      same(indexes.size, count, 'the number of different spans among them');
    },
  },
  {
    id: 'flush-error',
    contract:
      'a flush that cannot deliver rejects with a FlushError that counts what is retained and dropped',
    remedy:
      'reject with new FlushError(name, { retained, dropped, cause }); the two count the undelivered spans',
    async run(trial) {
      const { plugin, subject } = trial;
      if (subject.failDelivery === undefined) return noFailure;
      subject.failDelivery(true);
      for (const name of ['a', 'b', 'c']) trial.record({ name });
      const error = await rejection(trial, 'flush()', () => plugin.flush());
      isFlushError(error);
      check(
        error.retained + error.dropped >= 3,
        `3 spans were not delivered, FlushError counts ${error.retained} retained and ${error.dropped} dropped`,
      );
      same((await subject.spans()).length, 0, 'the number of spans delivered meanwhile');
      return undefined;
    },
  },
  {
    id: 'flush-retry',
    contract: 'what a FlushError calls retained is delivered by a later flush, once',
    remedy: 'put what could not be delivered back into the queue, and count it as dropped if you do not',
    async run(trial) {
      const { plugin, subject } = trial;
      if (subject.failDelivery === undefined) return noFailure;
      subject.failDelivery(true);
      for (const name of ['a', 'b', 'c']) trial.record({ name });
      const error = await rejection(trial, 'flush()', () => plugin.flush());
      isFlushError(error);
      subject.failDelivery(false);
      trial.record({ name: 'd' });
      const spans = await recovered(trial);
      named(spans, 'd');
      same(new Set(names(spans)).size, spans.length, 'the number of different spans delivered');
      check(
        spans.length >= 4 - error.dropped,
        `${error.retained} spans were retained, ${spans.length - 1} of them came`,
      );
      return undefined;
    },
  },
  {
    id: 'flush-sync',
    contract:
      'flushSync delivers ended and open spans before it returns, open ones marked tracewell.unfinished',
    remedy:
      'hand everything on without a promise; give open spans the attribute tracewell.unfinished: true and an end',
    async run(trial) {
      const { plugin, subject } = trial;
      if (plugin.flushSync === undefined) return noFlushSync;
      const root = trial.start({ name: 'root', attributes: { kept: 1 } });
      trial.record({ name: 'ended', parent: root });
      trial.start({ name: 'open', parent: root });
      plugin.flushSync();
      const spans = await subject.spans();
      same(names(spans), ['ended', 'open', 'root'], 'the names of the delivered spans');
      same(named(spans, 'ended').attributes, {}, 'the attributes of the ended span');
      same(
        named(spans, 'open').attributes,
        { 'tracewell.unfinished': true },
        'the attributes of the open span',
      );
      same(
        named(spans, 'root').attributes,
        { kept: 1, 'tracewell.unfinished': true },
        'those of the open root',
      );
      for (const span of spans) {
        check(span.endTimeUnixNanos >= span.startTimeUnixNanos, `${span.name} ends before it starts`);
      }
      return undefined;
    },
  },
  {
    id: 'flush-sync-error',
    contract: 'flushSync throws a FlushError when something could not be delivered, and nothing else',
    remedy: 'throw new FlushError(name, { retained, dropped, cause }) at the end of flushSync',
    run(trial) {
      const { plugin, subject } = trial;
      if (plugin.flushSync === undefined) return noFlushSync;
      if (subject.failDelivery === undefined) return noFailure;
      subject.failDelivery(true);
      trial.record({ name: 'span' });
      try {
        plugin.flushSync();
      } catch (error) {
        isFlushError(error);
        return undefined;
      }
      check(false, 'flushSync returned although nothing could be delivered');
    },
  },
  {
    id: 'shutdown-delivers',
    contract: 'shutdown delivers ended and open spans, open ones marked tracewell.unfinished',
    remedy: 'end what is open with the attribute tracewell.unfinished: true, then flush, then release',
    async run(trial) {
      const { plugin, subject } = trial;
      if (plugin.shutdown === undefined) return noShutdown;
      trial.record({ name: 'ended' });
      trial.start({ name: 'open' });
      await within(trial.patienceMs, 'shutdown()', plugin.shutdown());
      const spans = await subject.spans();
      same(names(spans), ['ended', 'open'], 'the names of the delivered spans');
      same(named(spans, 'ended').attributes, {}, 'the attributes of the ended span');
      same(
        named(spans, 'open').attributes,
        { 'tracewell.unfinished': true },
        'the attributes of the open span',
      );
      return undefined;
    },
  },
  {
    id: 'shutdown-idempotent',
    contract: 'shutdown can be called again, also while it runs, and delivers nothing twice',
    remedy: 'keep the promise of the first shutdown and return it from every later call',
    async run(trial) {
      const { plugin, subject } = trial;
      if (plugin.shutdown === undefined) return noShutdown;
      trial.record({ name: 'ended' });
      trial.start({ name: 'open' });
      await within(
        trial.patienceMs,
        'two concurrent shutdown()',
        Promise.all([plugin.shutdown(), plugin.shutdown()]),
      );
      await within(trial.patienceMs, 'a third shutdown()', plugin.shutdown());
      same(names(await subject.spans()), ['ended', 'open'], 'the names of the delivered spans');
      return undefined;
    },
  },
  {
    id: 'shutdown-silence',
    contract:
      'after shutdown recording does nothing: startSpan returns INVALID_SPAN, no call throws or rejects',
    remedy: 'forget all live handles in shutdown, and return 0 from startSpan afterwards',
    async run(trial) {
      const { plugin, subject } = trial;
      if (plugin.shutdown === undefined) return noShutdown;
      const open = trial.start({ name: 'open' });
      await within(trial.patienceMs, 'shutdown()', plugin.shutdown());
      const late = plugin.startSpan({ name: 'late' });
      same(late, INVALID_SPAN, 'the handle of a span started after shutdown');
      for (const span of [open, late]) {
        plugin.setAttribute(span, 'late', true);
        plugin.setStatus(span, { code: 2 });
        plugin.addEvent(span, { name: 'late' });
        plugin.updateName?.(span, 'late');
        plugin.addLink?.(span, { context: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) } });
        plugin.endSpan(span);
        same(plugin.spanContext?.(span), undefined, `spanContext(${span}) after shutdown`);
      }
      await trial.flush();
      plugin.flushSync?.();
      const spans = await subject.spans();
      same(names(spans), ['open'], 'the names of the delivered spans');
      same(
        spans[0]?.attributes,
        { 'tracewell.unfinished': true },
        'the attributes of the span open at shutdown',
      );
      return undefined;
    },
  },
  {
    id: 'shutdown-error',
    contract: 'a shutdown that cannot deliver rejects with a FlushError and releases the plugin all the same',
    remedy: 'release in a finally block, and reject with the FlushError of the last flush',
    async run(trial) {
      const { plugin, subject } = trial;
      if (plugin.shutdown === undefined) return noShutdown;
      if (subject.failDelivery === undefined) return noFailure;
      subject.failDelivery(true);
      trial.record({ name: 'span' });
      isFlushError(await rejection(trial, 'shutdown()', () => plugin.shutdown!()));
      same(plugin.startSpan({ name: 'late' }), INVALID_SPAN, 'the handle of a span started after shutdown');
      return undefined;
    },
  },
  {
    id: 'stats',
    contract: 'stats counts what was started, ended, and is live',
    remedy: 'count in startSpan and endSpan; live is the difference',
    async run(trial) {
      const { plugin } = trial;
      if (plugin.stats === undefined) return 'the plugin has no stats';
      check(typeof plugin.stats().name === 'string', 'stats().name is no string');
      trial.record({ name: 'a' });
      const live = trial.start({ name: 'b' });
      const during = plugin.stats();
      same([during.started, during.ended, during.live], [2, 1, 1], 'started, ended and live');
      plugin.endSpan(live);
      plugin.endSpan(live);
      await trial.flush();
      const after = plugin.stats();
      same(
        [after.started, after.ended, after.live, after.buffered],
        [2, 2, 0, 0],
        'started, ended, live and buffered',
      );
      for (const exporter of after.exporters) {
        same(exporter.exported, 2, `the count of spans exported by ${exporter.name}`);
        same([exporter.retained, exporter.dropped], [0, 0], `retained and dropped of ${exporter.name}`);
      }
      return undefined;
    },
  },
];
