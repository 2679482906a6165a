import { type SpanData, type SpanStatus, StatusCode } from '../../span.ts';
import type { SpanHandle } from '../../tracer-plugin.ts';
import { INVALID_SPAN } from '../../tracer-plugin.ts';
import type { PluginRule, PluginTrial } from '../plugin-trial.ts';
import { check, same } from '../rule.ts';

/** What a span has to look like in the end, kept the naive way. */
interface Expected {
  readonly id: number;
  readonly handle: SpanHandle;
  readonly parent: Expected | undefined;
  name: string;
  readonly attributes: Record<string, number | string>;
  readonly events: string[];
  links: number;
  status: SpanStatus;
  live: boolean;
}

/** A small deterministic generator (mulberry32), so that a failure can be run again from its seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const context = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) };
const texts = ['a', 'some text', 'x'.repeat(200), 'Zürich 🚀'];

async function play(
  trial: PluginTrial,
  steps: number,
  below: (bound: number) => number,
): Promise<Expected[]> {
  const { plugin } = trial;
  const all: Expected[] = [];
  const live = (): Expected[] => all.filter((span) => span.live);
  const start = (): void => {
    const parent = below(3) === 0 ? undefined : all[below(all.length || 1)];
    const id = all.length;
    const name = `span ${id}`;
    const handle = trial.start({
      name,
      attributes: { id },
      ...(parent !== undefined && { parent: parent.handle }),
    });
    check(handle !== INVALID_SPAN, `${name} was not sampled`);
    all.push({
      id,
      handle,
      parent: parent?.live === true ? parent : undefined,
      name,
      attributes: { id },
      events: [],
      links: 0,
      status: { code: StatusCode.UNSET, message: '' },
      live: true,
    });
  };
  const describe = (span: Expected, record: boolean): void => {
    const key = `key ${below(6)}`;
    const value = below(2) === 0 ? below(1000) : texts[below(texts.length)]!;
    switch (below(5)) {
      case 0:
        plugin.setStatus(span.handle, { code: StatusCode.ERROR, message: key });
        if (record) span.status = { code: StatusCode.ERROR, message: key };
        break;
      case 1:
        plugin.addEvent(span.handle, { name: key, attributes: { value } });
        if (record) span.events.push(key);
        break;
      case 2:
        plugin.addLink?.(span.handle, { context });
        if (record && plugin.addLink !== undefined) span.links++;
        break;
      case 3:
        plugin.updateName?.(span.handle, `${key} ${value}`);
        if (record && plugin.updateName !== undefined) span.name = `${key} ${value}`;
        break;
      default:
        plugin.setAttribute(span.handle, key, value);
        if (record) span.attributes[key] = value;
    }
  };
  for (let step = 0; step < steps; step++) {
    const candidates = live();
    const span = candidates[below(candidates.length || 1)];
    const action = below(100);
    if (span === undefined || action < 12) start();
    else if (action < 22) {
      plugin.endSpan(span.handle);
      span.live = false;
    } else if (action < 27) {
      const dead = all[below(all.length)]!;
      if (!dead.live) describe(dead, false);
    } else if (action < 28) await trial.flush();
    else describe(span, true);
  }
  for (const span of live()) {
    plugin.endSpan(span.handle);
    span.live = false;
  }
  return all;
}

/** One rule for everything at once. */
export const interleavingRules: readonly PluginRule[] = [
  {
    id: 'interleaving',
    contract: 'spans that overlap in any order never mix, and come out as if each had been recorded alone',
    remedy: 'look for state that is shared between spans; the seed in the message replays the same steps',
    async run(trial) {
      const seed = Math.trunc(Math.random() * 2 ** 31);
      try {
        const expected = await play(trial, 4_000, random(seed));
        const spans = await trial.delivered();
        same(spans.length, expected.length, 'the number of delivered spans');
        const byId = new Map<unknown, SpanData>(spans.map((span) => [span.attributes.id, span]));
        for (const want of expected) {
          const got = byId.get(want.id);
          check(got !== undefined, `span ${want.id} was not delivered`);
          const what = `of span ${want.id}`;
          same(got.name, want.name, `the name ${what}`);
          same(got.attributes, want.attributes, `the attributes ${what}`);
          same(got.status, want.status, `the status ${what}`);
          same(
            got.events.map((event) => event.name),
            want.events,
            `the events ${what}`,
          );
          same(got.links.length, want.links, `the number of links ${what}`);
          const parent = want.parent === undefined ? undefined : byId.get(want.parent.id);
          same(got.parentSpanId, parent?.spanId ?? '', `the parent ${what}`);
          if (parent !== undefined) same(got.traceId, parent.traceId, `the trace ${what}`);
        }
      } catch (error) {
        throw new Error(`${error instanceof Error ? error.message : error} (seed ${seed})`, { cause: error });
      }
    },
  },
];
