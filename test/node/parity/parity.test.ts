import { deepStrictEqual } from 'node:assert';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RecordedSpan } from './recorded-span.ts';
import { groups } from './scenarios.ts';

type Recorded = Record<string, RecordedSpan[]>;

const exchange = fileURLToPath(new URL('./exchange.ts', import.meta.url));

async function record(side: 'ours' | 'theirs', group: string): Promise<Recorded> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@tracewell/source', exchange, side, group],
    { maxBuffer: 1 << 26, timeout: 60_000 },
  );
  return JSON.parse(stdout);
}

/** Spans that overlap start and end in any order. */
function sorted(spans: readonly RecordedSpan[]): RecordedSpan[] {
  const texts = spans.map((span) => JSON.stringify(span, withoutKnownDifference)).sort();
  return texts.map((text) => JSON.parse(text));
}

/**
 * The differences that are meant: theirs reports a `DOMException` of fetch by its legacy code, the number 23,
 * where the conventions ask for a word, and keeps the secrets in queries of fetch that both leave out of HTTP.
 */
function withoutKnownDifference(key: string, value: unknown): unknown {
  if (key === 'error.type' && value === 23) return 'TimeoutError';
  return typeof value === 'string' ? value.replace('sig=kept', 'sig=REDACTED') : value;
}

for (const [name, group] of Object.entries(groups)) {
  describe(`HTTP and fetch spans beside the published instrumentations: ${name}`, async () => {
    const both = Promise.all([record('ours', name), record('theirs', name)]);
    both.catch(() => {});
    for (const scenario of Object.keys(group.scenarios)) {
      it(scenario, async () => {
        const [ours, theirs] = await both;
        deepStrictEqual(sorted(ours[scenario]!), sorted(theirs[scenario]!));
      });
    }
  });
}
