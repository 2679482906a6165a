// The recorder against the reference plugin: the same calls on both, chosen at random, have to give the same
// spans. What the reference does in plain objects, the recorder does in bytes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeTraces } from '@tracewell/otlp';
import {
  type AttributeValue,
  Double,
  type SpanData,
  type SpanHandle,
  type SpanKind,
  type SpanStart,
  type StatusCode,
} from '@tracewell/plugin';
import { bufferedPlugin } from '@tracewell/sdk';
import { canonical } from '../../packages/plugin/src/conformance/canonical.ts';
import { ReferencePlugin } from './reference-plugin.ts';

type Below = (bound: number) => number;

/** A small deterministic generator (mulberry32): a seed replays a round. */
function random(seed: number): Below {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

const KEYS = ['http.request.method', '__proto__', 'constructor', 'k'.repeat(70), 'ключ'];
const MORE_KEYS = Array.from({ length: 40 }, (_, index) => `key.${index}`);
const SCOPES = Array.from({ length: 5 }, (_, index) => ({
  name: `scope ${index % 3}`,
  version: `${index}`,
  attributes: index === 4 ? { a: [1, 'x'] } : {},
}));

class Inputs {
  readonly below: Below;

  constructor(below: Below) {
    this.below = below;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  text(): string {
    const { below } = this;
    const unit = this.pick(['', 'a', 'é', '🚀', 'xyz', `k${below(2000)}`]);
    return unit.repeat(this.pick([1, 1, below(60), below(400), below(20) === 0 ? below(2000) : 2]));
  }

  hex(digits: number): string {
    return Array.from({ length: digits }, () => (1 + this.below(15)).toString(16)).join('');
  }

  value(depth = 0): AttributeValue {
    const { below } = this;
    const scalars: readonly (() => AttributeValue)[] = [
      () => this.text(),
      () => below(2 ** 22) - 1000,
      () => below(2 ** 22) * -(2 ** 30),
      () => below(100) / 7,
      () => new Double(below(300)),
      () => below(2) === 0,
      () => BigInt.asIntN(64, BigInt(below(1e6)) << BigInt(below(64))),
      () => new Uint8Array(below(300)).fill(below(256)),
      () => null,
    ];
    if (depth > 4 || below(5) > 0) return this.pick(scalars)();
    if (below(2) === 0) return Array.from({ length: below(5) }, () => this.value(depth + 1));
    return Object.fromEntries(
      Array.from({ length: below(4) }, (_, i) => [`${this.text()}${i}`, this.value(depth + 1)]),
    );
  }

  key(): string {
    return this.pick(this.below(3) === 0 ? KEYS : MORE_KEYS);
  }

  attributes(): Record<string, AttributeValue> {
    const entries = Array.from({ length: this.below(6) }, () => [this.key(), this.value()] as const);
    return Object.fromEntries(entries);
  }

  time(): bigint {
    return BigInt(this.below(2 ** 30)) << BigInt(this.below(34));
  }

  link() {
    const traceState = this.pick(['', 'vendor=1']);
    return {
      context: { traceId: this.hex(32), spanId: this.hex(16), traceState },
      attributes: this.attributes(),
    };
  }

  start(): SpanStart {
    const { below } = this;
    return {
      name: this.text(),
      context: {
        traceId: this.hex(32),
        spanId: this.hex(16),
        ...(below(4) === 0 && { traceState: 'own=1' }),
      },
      startTimeUnixNanos: this.time(),
      ...(below(2) === 0 && { attributes: this.attributes() }),
      ...(below(3) === 0 && { kind: below(6) as SpanKind }),
      ...(below(3) === 0 && { scope: this.pick(SCOPES) }),
      ...(below(6) === 0 && { links: [this.link()] }),
    };
  }

  // Events and links beyond their limit: the reference keeps the first ones, the recorder the last, both may.
  limits() {
    const { below } = this;
    return {
      attributeCountLimit: this.pick([128, 1 + below(12)]),
      attributeValueLengthLimit: this.pick([Number.POSITIVE_INFINITY, 10 + below(60)]),
      eventCountLimit: 1_000_000,
      linkCountLimit: 1_000_000,
      attributePerEventCountLimit: this.pick([128, 1 + below(5)]),
      attributePerLinkCountLimit: this.pick([128, 1 + below(3)]),
    };
  }
}

/** What both have to agree on; flags and the resource are the plugin's own. */
function comparable({ resource: _, flags: __, links, ...span }: SpanData): unknown {
  return canonical({ ...span, links: links.map(({ flags: _, ...link }) => link) });
}

async function playRound(seed: number): Promise<void> {
  const below = random(seed);
  const inputs = new Inputs(below);
  const limits = inputs.limits();
  const batches: Uint8Array[] = [];
  const exporter = {
    name: 'array',
    export: async ({ bytes }: { bytes: Uint8Array }) => void batches.push(bytes),
  };
  const recorder = bufferedPlugin(exporter, {
    limits,
    batchMaxBytes: inputs.pick([2_000, 20_000, 500_000]),
    batchMaxSpans: inputs.pick([1, 7, 512]),
    queueMaxBytes: 2 ** 30,
  });
  const reference = new ReferencePlugin({ limits });
  const live: (readonly [recorded: SpanHandle, expected: SpanHandle])[] = [];

  for (let step = 50 + below(400); step > 0; step--) {
    const action = below(20);
    if (live.length === 0 || action < 4) {
      const start = inputs.start();
      const [recorded, expected] = live.length > 0 && below(2) === 0 ? inputs.pick(live) : [];
      const remoteParent = { traceId: inputs.hex(32), spanId: inputs.hex(16), traceState: 'remote=1' };
      const parentOf = (parent: SpanHandle | undefined) =>
        parent === undefined ? { remoteParent } : { parent };
      const origin = below(4) > 0;
      live.push([
        recorder.startSpan({ ...start, ...(origin && parentOf(recorded)) }),
        reference.startSpan({ ...start, ...(origin && parentOf(expected)) }),
      ]);
      continue;
    }
    const index = below(live.length);
    const [recorded, expected] = live[index]!;
    if (action < 10) {
      const [key, value] = [inputs.key(), inputs.value()];
      recorder.setAttribute(recorded, key, value);
      reference.setAttribute(expected, key, value);
    } else if (action < 12) {
      const event = { name: inputs.text(), attributes: inputs.attributes(), timeUnixNanos: inputs.time() };
      recorder.addEvent(recorded, event);
      reference.addEvent(expected, event);
    } else if (action < 13) {
      const link = inputs.link();
      recorder.addLink(recorded, link);
      reference.addLink(expected, link);
    } else if (action < 15) {
      const status = { code: below(3) as StatusCode, message: inputs.text() };
      recorder.setStatus(recorded, status);
      reference.setStatus(expected, status);
    } else if (action < 16) {
      const name = inputs.text();
      recorder.updateName(recorded, name);
      reference.updateName(expected, name);
    } else {
      const end = inputs.time();
      recorder.endSpan(recorded, end);
      reference.endSpan(expected, end);
      live.splice(index, 1);
    }
  }
  for (const [recorded, expected] of live) {
    recorder.endSpan(recorded, 5n);
    reference.endSpan(expected, 5n);
  }
  await Promise.all([recorder.shutdown(), reference.flush()]);

  const got = new Map(batches.flatMap((bytes) => decodeTraces(bytes)).map((span) => [span.spanId, span]));
  assert.equal(got.size, reference.delivered.length);
  for (const want of reference.delivered) {
    assert.deepEqual(comparable(got.get(want.spanId)!), comparable(want));
  }
}

test('bufferedPlugin records what the reference plugin records, whatever comes in whatever order', async () => {
  const first = Math.trunc(Math.random() * 2 ** 30);
  for (let seed = first; seed < first + 200; seed++) {
    await playRound(seed).catch((error: unknown) => {
      throw new Error(`playRound(${seed}) fails`, { cause: error });
    });
  }
});
