import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Attributes, type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import { type Dependency, openStore } from '@tracewell/store';
import fc from 'fast-check';
import {
  type CallFacts,
  findDependencies,
  planDependencies,
} from '../../../packages/store/src/analysis/dependencies.ts';
import { spansIn, visitCalls } from '../../../packages/store/src/query/spans/visit-spans.ts';
import { newDirectory } from '../engine/directory.ts';
import { MemoryLog } from '../hot/memory-log.ts';
import { id, resourceOf, span } from '../query/spans.ts';
import { draw } from './traces.ts';

/** A dependency as text. */
function shown({ from, to, kind, system, spanCount, errorCount }: Dependency): string {
  return `${from} -> ${to} (${kind}${system && ` ${system}`}): ${spanCount} calls, ${errorCount} failed`;
}

test('services, databases, queues and addresses are told from each other', async (t) => {
  await using store = await openStore(newDirectory(t));
  const trace = draw(
    `
GET /            |====================|
  POST /pay      | ==========         |
    pay          |  ========          |
      charge     |   !!!!!            |
      query      |        ==          |
  publish        |            ==      |
    consume      |             =====  |
  model          |               ==   |`,
    {
      'GET /': { kind: SpanKind.SERVER },
      'POST /pay': { attributes: { 'server.address': 'pay.internal' } },
      pay: { service: 'pay', kind: SpanKind.SERVER },
      charge: { service: 'pay', attributes: { 'server.address': 'api.bank.example', 'rpc.system': 'grpc' } },
      query: { service: 'pay', attributes: { 'db.system': 'postgresql', 'db.namespace': 'orders' } },
      publish: {
        kind: SpanKind.PRODUCER,
        attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'paid' },
      },
      consume: { service: 'mail', kind: SpanKind.CONSUMER },
      model: { attributes: { 'gen_ai.system': 'acme' } },
    },
  );
  await store.insertSpans(trace.spans);
  // A queue that nobody records the other end of.
  await store.insertSpans([
    span({
      spanId: id(99),
      kind: SpanKind.PRODUCER,
      attributes: { 'messaging.system': 'kafka', 'messaging.destination.name': 'audit' },
    }),
  ]);
  const { dependencies: found } = await store.queryDependencies();
  assert.deepEqual(found.map(shown).sort(), [
    'pay -> api.bank.example (external grpc): 1 calls, 1 failed',
    'pay -> orders (database postgresql): 1 calls, 0 failed',
    'shop -> acme (external acme): 1 calls, 0 failed',
    'shop -> audit (messaging kafka): 1 calls, 0 failed',
    'shop -> mail (service): 1 calls, 0 failed',
    'shop -> pay (service): 1 calls, 0 failed',
  ]);
  assert.equal(found.find((one) => one.to === 'pay')!.maxMs, 8);
  assert.deepEqual((await store.queryDependencies({ service: 'mail' })).dependencies.map(shown), [
    'shop -> mail (service): 1 calls, 0 failed',
  ]);
});

const SERVICES = ['web', 'shop', 'pay'];
const KINDS = [SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER];
const TARGETS: Attributes[] = [
  {},
  { 'db.system.name': 'redis' },
  { 'db.system.name': 'postgresql', 'db.namespace': 'shop', 'http.route': '/db.system' },
  { 'server.address': 'a.example', 'server.port': 80 },
  { 'db.system.name': 5, 'peer.service': 'old' },
];

/** What follows from the definition, with all spans as objects. */
function naive(spans: readonly SpanData[]): Map<string, [count: number, errors: number]> {
  const found = new Map<string, [number, number]>();
  const count = (key: string, one: SpanData): void => {
    const [calls, errors] = found.get(key) ?? [0, 0];
    found.set(key, [calls + 1, errors + Number(one.status.code === StatusCode.ERROR)]);
  };
  const service = (one: SpanData) => one.resource.attributes['service.name'] as string;
  const parentOf = (one: SpanData) =>
    spans.find((other) => other.traceId === one.traceId && other.spanId === one.parentSpanId);
  for (const one of spans) {
    const parent = parentOf(one);
    if (parent !== undefined && service(parent) !== service(one))
      count(`${service(parent)} -> ${service(one)}`, one);
    if (one.kind !== SpanKind.CLIENT && one.kind !== SpanKind.PRODUCER) continue;
    const answers = spans.some((other) => service(other) !== service(one) && parentOf(other) === one);
    const {
      'db.system.name': database,
      'db.namespace': name,
      'peer.service': peer,
      'server.address': at,
    } = one.attributes;
    const target = typeof database === 'string' ? (name ?? database) : (peer ?? at);
    if (!answers && target !== undefined) count(`${service(one)} -> outside ${target}`, one);
  }
  return found;
}

test('whatever the traces: as somebody would count who has all spans as objects', async (t) => {
  const directory = newDirectory(t);
  let run = 0;
  const node = fc.record({
    trace: fc.nat(2),
    parent: fc.nat(12),
    service: fc.constantFrom(...SERVICES),
    kind: fc.constantFrom(...KINDS),
    attributes: fc.constantFrom(...TARGETS),
    failed: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(node, { maxLength: 12 }), async (nodes) => {
      await using first = await openStore(`${directory}/${++run}`, { durability: 'none' });
      await using second = await openStore(`${directory}/${run}`, { durability: 'none' });
      const spans = nodes.map((one, number) =>
        span({
          traceId: id(0) + id(one.trace + 1),
          spanId: id(number + 1),
          parentSpanId: one.parent === 0 ? '' : id(one.parent),
          kind: one.kind,
          attributes: one.attributes,
          resource: resourceOf(one.service),
          status: { code: one.failed ? StatusCode.ERROR : StatusCode.OK, message: '' },
        }),
      );
      // Every service writes into a log of its own, and all of them are read.
      for (const service of SERVICES) {
        const own = spans.filter((one) => one.resource.attributes['service.name'] === service);
        await (service === 'web' ? first : second).insertSpans(own);
      }
      // Some of them go cold; a copy of a span that is cold counts no more than one that is not.
      if (nodes.length % 2 === 0) await second.compact();
      await second.insertSpans(spans.slice(0, 2));
      const { dependencies: found } = await first.queryDependencies();
      assert.deepEqual(
        new Map(
          found.map((one) => [
            `${one.from} -> ${one.kind === 'service' ? '' : 'outside '}${one.to}`,
            [one.spanCount, one.errorCount],
          ]),
        ),
        naive(spans),
      );
      for (const [at, one] of found.entries())
        assert.ok(at === 0 || found[at - 1]!.spanCount >= one.spanCount);
    }),
    { numRuns: 60 },
  );
});

test('many spans are looked at in slices, and none is lost between them', async () => {
  const log = new MemoryLog();
  for (let batch = 0; batch < 10; batch++) {
    const spans = Array.from({ length: 2000 }, (_, number) => {
      const trace = batch * 1000 + (number >> 1) + 1;
      const isServer = number % 2 === 1;
      return span({
        traceId: id(trace * 7919) + id(trace * 104_729),
        spanId: id(number + 1),
        parentSpanId: isServer ? id(number) : '',
        kind: isServer ? SpanKind.SERVER : SpanKind.CLIENT,
        resource: resourceOf(isServer ? 'pay' : 'shop'),
      });
    });
    log.append(batch % 2 === 0 ? 'a' : 'b', spans);
  }
  let visits = 0;
  const { index } = log;
  const facts: CallFacts = {
    operations: index.operations,
    spansIn: (window) => spansIn(index, window),
    visitCalls: (window, targets, isWanted, visit) => {
      visits++;
      return visitCalls(index, window, targets, isWanted, visit);
    },
  };
  const found = await findDependencies(facts, planDependencies({}, 0n), 3000);
  assert.deepEqual(found.map(shown), ['shop -> pay (service): 10000 calls, 0 failed']);
  assert.equal(visits, 7);
});

test('a question that is none is refused by name', async (t) => {
  await using store = await openStore(newDirectory(t));
  await assert.rejects(
    store.queryDependencies({ limit: 5 } as object),
    /queryDependencies: limit is no field of query; there are service, startTime, endTime, lastSeconds/,
  );
  assert.deepEqual(await store.queryDependencies({ lastSeconds: 60 }), { dependencies: [] });
});
