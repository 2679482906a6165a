// What docs/instrument-an-app.md says of the end of a process beyond what the tests of the host and the exporter show.
import { deepStrictEqual, match, ok, strictEqual } from 'node:assert';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { otlpReceiver } from '../opentelemetry/fixtures/otlp-receiver.ts';
import { runApp, storedSpans, temporaryFolder } from './run-app.ts';

describe('at the end', { concurrency: 2 }, () => {
  for (const [how, kept] of [
    ['terminate', ['flushed']],
    ['itself', ['flushed', 'just now']],
  ] as const) {
    it(`a worker thread that ends by ${how} keeps ${kept.join(' and ')}`, async (t) => {
      const cwd = temporaryFolder(t);
      await runApp('worker.mjs', cwd, { args: [how], env: { OTEL_BSP_SCHEDULE_DELAY: '30000' } });
      const spans = await storedSpans(join(cwd, '.tracewell'));
      deepStrictEqual(
        spans.map(({ name }) => name),
        kept,
      );
    });
  }

  it('a collector that never answers is waited for once by OTEL_EXPORTER_OTLP_TIMEOUT and once for 2 s', async (t) => {
    // From the first request on: how long the application takes to start is no matter here.
    let begin = 0;
    await using receiver = await otlpReceiver(() => {
      begin ||= performance.now();
    });
    const { code, stderr } = await runApp('end.mjs', temporaryFolder(t), {
      args: ['idle'],
      env: {
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_TIMEOUT: '300',
        OTEL_BSP_SCHEDULE_DELAY: '30000',
      },
    });
    const ms = performance.now() - begin;
    strictEqual(code, 0);
    match(stderr, /^tracewell: otlp: http:\S+ did not answer within 300 ms/m);
    strictEqual(receiver.requests.length, 2);
    ok(ms > 2200 && ms < 8000, `${ms} ms`);
  });
});
