import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogData, MetricData } from '@tracewell/otlp';
import { openStore } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { id, resourceOf, span } from '../query/spans.ts';

const START = 1_760_000_000_000_000_000n;
const SECOND = 1_000_000_000n;
const { traceId, scope } = span();

function log(body: string, seconds: number, ofTrace = traceId): LogData {
  return {
    timeUnixNanos: START + BigInt(seconds) * SECOND,
    observedTimeUnixNanos: 0n,
    severityNumber: 9,
    severityText: 'INFO',
    body,
    attributes: {},
    droppedAttributesCount: 0,
    flags: 0,
    traceId: ofTrace,
    spanId: '',
    eventName: '',
    resource: resourceOf('shop'),
    scope,
  };
}

function gauge(service: string, ...seconds: number[]): MetricData {
  return {
    name: 'queue.length',
    description: '',
    unit: '1',
    metadata: {},
    type: 'gauge',
    points: seconds.map((at) => ({
      attributes: {},
      startTimeUnixNanos: 0n,
      timeUnixNanos: START + BigInt(at) * SECOND,
      flags: 0,
      exemplars: [],
      value: at,
    })),
    resource: resourceOf(service),
    scope,
  };
}

test('a trace comes with its logs and with the metrics of its services around its time, hot and cold', async (t) => {
  await using store = await openStore(newDirectory(t));
  const spans = ['shop', 'pay'].map((service, number) =>
    span({
      spanId: id(number + 1),
      service,
      startTimeUnixNanos: START,
      endTimeUnixNanos: START + 10n * SECOND,
    }),
  );
  await store.insertSpans(spans);
  await store.insertLogs([log('second', 5), log('first', 1), log('another trace', 2, 'f'.repeat(32))]);
  await store.insertMetrics([gauge('shop', -100, -30, 5, 200), gauge('pay', 60), gauge('mail', 5)]);
  for (const tier of ['hot', 'cold']) {
    if (tier === 'cold') await store.compact();
    const points = async (marginSeconds?: number): Promise<unknown> => {
      const found = await store.queryCorrelate(traceId, { marginSeconds });
      assert.deepEqual(
        found!.logs.map((one) => one.body),
        ['first', 'second'],
        tier,
      );
      assert.equal(found!.trace.spans.length, 2);
      assert.equal(found!.truncated, false);
      return found!.metrics
        .map((one) => [
          one.resource.attributes['service.name'],
          one.type === 'gauge' && one.points.map((point) => point.value),
        ])
        .sort();
    };
    assert.deepEqual(
      await points(),
      [
        ['pay', [60]],
        ['shop', [5, -30]],
      ],
      tier,
    );
    assert.deepEqual(await points(0), [['shop', [5]]], tier);
    assert.deepEqual(
      await points(100),
      [
        ['pay', [60]],
        ['shop', [5, -30, -100]],
      ],
      tier,
    );
  }
  assert.equal(await store.queryCorrelate('e'.repeat(32)), undefined);
  await assert.rejects(
    store.queryCorrelate(traceId, { marginSeconds: -1 }),
    /marginSeconds must be a number from 0 to 86400, got -1/,
  );
  await assert.rejects(store.queryCorrelate(traceId, { margin: 1 } as object), /margin is no field of query/);
});
