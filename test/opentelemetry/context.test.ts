import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import { type Context, context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { AsyncContextManager, contextWithSpan, SPAN_KEY } from '@tracewell/opentelemetry';

const KEY = createContextKey('test');
const withValue = (value: unknown): Context => ROOT_CONTEXT.setValue(KEY, value);
const active = (): unknown => context.active().getValue(KEY);
const span = (spanId: string) => trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId, traceFlags: 1 });

beforeEach(() => assert.equal(context.setGlobalContextManager(new AsyncContextManager()), true));
afterEach(() => context.disable());

test('a context reaches promises, timers, microtasks and nested calls, and ends where it should', async () => {
  const seen = await context.with(withValue('outer'), async () => {
    const values = [active()];
    await null;
    values.push(active());
    await new Promise((resolve) => setTimeout(resolve, 1));
    values.push(active());
    values.push(context.with(withValue('inner'), active));
    values.push(active());
    return values;
  });
  assert.deepEqual(seen, ['outer', 'outer', 'outer', 'inner', 'outer']);
  assert.equal(active(), undefined);
  assert.equal(context.active(), ROOT_CONTEXT);
});

test('concurrent work does not see each other', async () => {
  const work = (value: number) =>
    context.with(withValue(value), async () => {
      await new Promise((resolve) => setTimeout(resolve, (10 - value) % 3));
      return active();
    });
  const values = Array.from({ length: 10 }, (_, index) => index);
  assert.deepEqual(await Promise.all(values.map(work)), values);
});

test('with passes this, arguments and the result on', () => {
  function sum(this: number, a: number, b: number): number {
    return this + a + b;
  }
  assert.equal(context.with(ROOT_CONTEXT, sum, 1, 2, 3), 6);
});

test('bind ties a function to a context, and keeps its length', () => {
  function pair(this: unknown, a: unknown, _b: unknown): unknown[] {
    return [this, a, active()];
  }
  const bound = context.bind(withValue('bound'), pair);
  assert.deepEqual(bound.call('this', 'a', 'b'), ['this', 'a', 'bound']);
  assert.equal(bound.length, 2);
  assert.equal(context.bind(withValue('x'), 5), 5);
});

test('bind ties the listeners of an emitter to a context, and they can be removed', async () => {
  const emitter = context.bind(withValue('bound'), new EventEmitter());
  const seen: unknown[] = [];
  const listener = () => seen.push(active());
  for (const add of ['on', 'addListener', 'prependListener', 'once', 'prependOnceListener'] as const) {
    emitter[add]('event', listener);
  }
  emitter.emit('event');
  assert.deepEqual(seen, Array(5).fill('bound'));
  assert.equal(emitter.listenerCount('event'), 3);
  assert.deepEqual(emitter.listeners('event'), [listener, listener, listener]);
  for (let i = 0; i < 3; i++) emitter.off('event', listener);
  emitter.emit('event');
  assert.equal(seen.length, 5);
  emitter.once('event', listener);
  emitter.removeListener('event', listener);
  assert.equal(emitter.listenerCount('event'), 0);
  setImmediate(() => emitter.emit('later', 'value'));
  assert.deepEqual(await once(emitter, 'later'), ['value']);
  emitter.on('event', listener).removeAllListeners();
  assert.equal(emitter.emit('event'), false);
});

test('binding an emitter again binds its later listeners to the later context', () => {
  const emitter = new EventEmitter();
  const seen: unknown[] = [];
  context.bind(withValue('first'), emitter).on('event', () => seen.push(active()));
  context.bind(withValue('second'), emitter).on('event', () => seen.push(active()));
  emitter.emit('event');
  assert.deepEqual(seen, ['first', 'second']);
  const listener = () => {};
  emitter.on('other', listener).off('other', listener);
  assert.equal(emitter.listenerCount('other'), 0);
});

test('attach sets the context until it is disposed of', () => {
  const manager = new AsyncContextManager();
  const attached = manager.attach(withValue('attached'));
  assert.equal(manager.active().getValue(KEY), 'attached');
  attached.dispose();
  assert.equal(manager.active(), ROOT_CONTEXT);
  manager.with(withValue('other'), () => {
    attached.dispose();
    assert.equal(manager.active().getValue(KEY), 'other');
  });
});

test('contextWithSpan is a context like the one that trace.setSpan makes', () => {
  const [first, second] = [span('2'.repeat(16)), span('3'.repeat(16))];
  const base = suppressTracing(withValue('kept'));
  for (const made of [contextWithSpan(base, first), contextWithSpan(contextWithSpan(base, second), first)]) {
    assert.equal(trace.getSpan(made), first);
    assert.equal(made.getValue(SPAN_KEY), first);
    assert.equal(made.getValue(KEY), 'kept');
    assert.equal(trace.getSpan(trace.setSpan(made, second)), second);
    assert.equal(trace.getSpan(trace.deleteSpan(made)), undefined);
    assert.equal(trace.deleteSpan(made).getValue(KEY), 'kept');
    const more = made.setValue(KEY, 'changed');
    assert.equal(more.getValue(KEY), 'changed');
    assert.equal(trace.getSpan(more), first);
    assert.equal(made.getValue(KEY), 'kept');
    const less = made.deleteValue(KEY);
    assert.equal(less.getValue(KEY), undefined);
    assert.equal(trace.getSpan(less), first);
  }
});

test('a chain of active spans keeps only the last one alive', () => {
  let made = contextWithSpan(ROOT_CONTEXT, span('2'.repeat(16)));
  for (let i = 0; i < 10; i++) made = contextWithSpan(made, span('3'.repeat(16)));
  const reachable = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || reachable.has(value)) return;
    reachable.add(value);
    for (const inner of Object.values(value)) visit(inner);
  };
  visit(made);
  const spans = [...reachable].filter(
    (value) => typeof (value as { spanContext?: unknown }).spanContext === 'function',
  );
  assert.equal(spans.length, 1);
});
