import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ROOT_CONTEXT } from '@opentelemetry/api';
import { SamplingDecision, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace-base';
import { INVALID_SPAN } from '@tracewell/plugin';
import {
  alwaysOff,
  alwaysOn,
  ParentSampling,
  parentBased,
  randomTraceId,
  type Sampler,
  samplerFromEnvironment,
  traceIdRatio,
} from '@tracewell/sdk';
import { recording } from './support/recording.ts';

const START = { name: 'span' };
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

function decide(sampler: Sampler, traceId: string, parent: ParentSampling = ParentSampling.NONE): boolean {
  return sampler.shouldSample(Buffer.from(`ffff${traceId}`, 'hex'), 2, parent, START);
}

describe('traceIdRatio', () => {
  for (const ratio of [0, 1e-9, 0.001, 0.1, 0.5, 0.999, 1]) {
    it(`decides as the sampler of the OpenTelemetry SDK at ${ratio}`, () => {
      const ours = traceIdRatio(ratio);
      const theirs = new TraceIdRatioBasedSampler(ratio);
      const extremes = [
        '0'.repeat(31).concat('1'),
        'f'.repeat(32),
        '80000000'.padEnd(32, '0'),
        '7fffffff'.padEnd(32, '0'),
      ];
      for (const traceId of [...extremes, ...Array.from({ length: 2000 }, randomTraceId)]) {
        const { decision } = theirs.shouldSample(ROOT_CONTEXT, traceId);
        assert.equal(decide(ours, traceId), decision === SamplingDecision.RECORD_AND_SAMPLED, traceId);
      }
      assert.equal(ours.description, theirs.toString());
    });
  }

  it('records the traces of a lower ratio at a higher one too', () => {
    for (let index = 0; index < 2000; index++) {
      const traceId = randomTraceId();
      if (decide(traceIdRatio(0.1), traceId)) assert.ok(decide(traceIdRatio(0.3), traceId));
    }
  });

  it('refuses what is no ratio', () => {
    for (const ratio of [-0.1, 1.1, Number.NaN, '0.5' as never]) {
      assert.throws(() => traceIdRatio(ratio), {
        name: 'RangeError',
        message: /ratio must be a number from 0 to 1/,
      });
    }
  });
});

describe('parentBased', () => {
  const { NONE, REMOTE_SAMPLED, REMOTE_UNSAMPLED, LOCAL_SAMPLED } = ParentSampling;

  it('follows the parent and asks the root where there is none', () => {
    for (const [root, expected] of [
      [alwaysOn(), [true, false, true, true]],
      [alwaysOff(), [false, false, true, true]],
    ] as const) {
      const sampler = parentBased(root);
      const decisions = [NONE, REMOTE_UNSAMPLED, REMOTE_SAMPLED, LOCAL_SAMPLED].map((parent) =>
        decide(sampler, TRACE_ID, parent),
      );
      assert.deepEqual(decisions, expected);
    }
  });

  it('asks who is given for each kind of parent', () => {
    const sampler = parentBased(alwaysOn(), {
      remoteSampled: alwaysOff(),
      remoteUnsampled: alwaysOn(),
      localSampled: alwaysOff(),
    });
    const decisions = [NONE, REMOTE_UNSAMPLED, REMOTE_SAMPLED, LOCAL_SAMPLED].map((parent) =>
      decide(sampler, TRACE_ID, parent),
    );
    assert.deepEqual(decisions, [true, true, false, false]);
  });
});

describe('what is no sampler', () => {
  it('is refused by parentBased', () => {
    assert.throws(() => parentBased('always_on' as never), {
      name: 'TypeError',
      message: /parentBased: root must be a Sampler, such as .*, got "always_on"/,
    });
    assert.throws(
      () => parentBased(alwaysOn(), { localSampled: {} as never }),
      /localSampled must be a Sampler/,
    );
  });
});

describe('samplerFromEnvironment', () => {
  for (const [name, argument, description] of [
    [undefined, undefined, /^ParentBased\{root=AlwaysOnSampler,/],
    ['', undefined, /^ParentBased\{root=AlwaysOnSampler,/],
    ['always_on', undefined, /^AlwaysOnSampler$/],
    ['always_off', undefined, /^AlwaysOffSampler$/],
    ['traceidratio', '0.25', /^TraceIdRatioBased\{0\.25\}$/],
    ['traceidratio', undefined, /^TraceIdRatioBased\{1\}$/],
    ['parentbased_always_on', undefined, /^ParentBased\{root=AlwaysOnSampler,/],
    ['parentbased_always_off', undefined, /^ParentBased\{root=AlwaysOffSampler,/],
    ['parentbased_traceidratio', '0.01', /^ParentBased\{root=TraceIdRatioBased\{0\.01\},/],
  ] as const) {
    it(`knows ${name ?? 'an absent name'} with ${argument ?? 'no argument'}`, () => {
      const { sampler, warnings } = samplerFromEnvironment({
        OTEL_TRACES_SAMPLER: name,
        OTEL_TRACES_SAMPLER_ARG: argument,
      });
      assert.match(sampler.description, description);
      assert.deepEqual(warnings, []);
    });
  }

  it('warns of a name that it does not know and samples everything', () => {
    for (const name of ['jaeger_remote', 'ALWAYS_OFF', '__proto__', 'constructor']) {
      const { sampler, warnings } = samplerFromEnvironment({ OTEL_TRACES_SAMPLER: name });
      assert.ok(decide(sampler, TRACE_ID));
      assert.match(warnings.join(), /OTEL_TRACES_SAMPLER: unknown sampler/);
    }
  });

  it('warns of an argument that is no ratio and samples everything', () => {
    for (const argument of ['ten', '-1', '2', 'NaN']) {
      const { sampler, warnings } = samplerFromEnvironment({
        OTEL_TRACES_SAMPLER: 'traceidratio',
        OTEL_TRACES_SAMPLER_ARG: argument,
      });
      assert.ok(decide(sampler, TRACE_ID));
      assert.match(warnings.join(), /OTEL_TRACES_SAMPLER_ARG: .* is not a number from 0 to 1/);
    }
  });
});

describe('a plugin that samples', () => {
  const remote = (traceFlags: number, isRemote = true) => ({
    name: 'child',
    remoteParent: { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags, isRemote },
  });

  it('leaves out what its sampler leaves out, and all that descends from it', async () => {
    const { plugin, spans } = recording({ sampler: alwaysOff() });
    const root = plugin.startSpan(START);
    assert.equal(root, INVALID_SPAN);
    assert.equal(plugin.startSpan({ name: 'child', parent: root }), INVALID_SPAN);
    assert.deepEqual(await spans(), []);
    assert.equal(plugin.stats().unsampled, 2);
    assert.equal(plugin.stats().live, 0);
  });

  it('follows the sampled flag of a remote parent by default', () => {
    const { plugin } = recording();
    assert.equal(plugin.startSpan(remote(0)), INVALID_SPAN);
    assert.notEqual(plugin.startSpan(remote(1)), INVALID_SPAN);
    assert.notEqual(plugin.startSpan(remote(1, false)), INVALID_SPAN);
  });

  it('never samples the child of an unsampled span of its own process, whatever the sampler', () => {
    const { plugin } = recording({ sampler: alwaysOn() });
    assert.equal(plugin.startSpan(remote(0, false)), INVALID_SPAN);
    assert.notEqual(plugin.startSpan(remote(0)), INVALID_SPAN);
  });

  it('tells the sampler the trace id that the span gets, and what it starts with', async () => {
    const asked: [traceId: string, parent: ParentSampling, name: string][] = [];
    const { plugin, spans } = recording({
      sampler: {
        description: 'Spy',
        shouldSample(bytes, at, parent, start) {
          asked.push([Buffer.from(bytes.subarray(at, at + 16)).toString('hex'), parent, start.name]);
          return true;
        },
      },
    });
    const root = plugin.startSpan({ name: 'root' });
    plugin.endSpan(plugin.startSpan({ name: 'child', parent: root }));
    plugin.endSpan(plugin.startSpan(remote(1)));
    plugin.endSpan(plugin.startSpan({ name: 'given', context: { traceId: TRACE_ID, spanId: SPAN_ID } }));
    plugin.endSpan(root);
    const { NONE, LOCAL_SAMPLED, REMOTE_SAMPLED } = ParentSampling;
    const traceIds = new Map((await spans()).map((span) => [span.name, span.traceId]));
    assert.deepEqual(asked, [
      [traceIds.get('root'), NONE, 'root'],
      [traceIds.get('root'), LOCAL_SAMPLED, 'child'],
      [TRACE_ID, REMOTE_SAMPLED, 'child'],
      [TRACE_ID, NONE, 'given'],
    ]);
  });

  it('records when its sampler throws, and tells', () => {
    const errors: unknown[] = [];
    const { plugin } = recording({
      sampler: {
        description: 'Broken',
        shouldSample() {
          throw new Error('broken sampler');
        },
      },
      onError: (error) => errors.push(error),
    });
    assert.notEqual(plugin.startSpan(START), INVALID_SPAN);
    assert.match(String(errors), /broken sampler/);
  });

  it('refuses what a sampler starts while it is asked', () => {
    const { plugin } = recording({
      sampler: {
        description: 'Recursive',
        shouldSample: () => plugin.startSpan({ name: 'inner' }) === INVALID_SPAN,
      },
    });
    assert.notEqual(plugin.startSpan(START), INVALID_SPAN);
    assert.equal(plugin.stats().refused, 1);
  });
});
