import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { describe, mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeTraces } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type SpanBatch, type SpanData } from '@tracewell/plugin';
import { testBatchExporter } from '@tracewell/plugin/conformance';
import { type ConsoleExporterOptions, consoleExporter, formatTrace } from '@tracewell/sdk';
import { checkout, TraceBuilder } from './support/span-data.ts';

/** A stream that takes text, or fails, as a terminal does. */
class TextSink {
  text = '';
  failing = false;
  listeners = 0;

  write(text: string, callback: (error?: Error | null) => void): void {
    if (!this.failing) this.text += text;
    callback(this.failing ? new Error('nobody reads') : null);
  }

  on(): void {
    this.listeners += 1;
  }

  removeListener(): void {
    this.listeners -= 1;
  }
}

function setup(options: ConsoleExporterOptions = {}): { exporter: BatchExporter; sink: TextSink } {
  const sink = new TextSink();
  return { sink, exporter: consoleExporter({ stream: sink, width: 80, waitMs: 100, ...options }) };
}

const batch = (spans: readonly SpanData[]): SpanBatch => ({
  bytes: encodeTraces(spans),
  spanCount: spans.length,
});

/** How many spans each printed trace has. */
const sizes = (text: string): number[] =>
  Array.from(text.matchAll(/(\d+) spans?/g), (match) => Number(match[1]));

describe('the console exporter', () => {
  test('prints a trace once the span that began it here has ended, with what came before', async () => {
    const { exporter, sink } = setup();
    const [root, ...others] = checkout();
    await exporter.export(batch(others.slice(0, 10)));
    assert.equal(sink.text, '');
    await exporter.export(batch([...others.slice(10), root!]));
    assert.deepEqual(sizes(sink.text), [22]);
    assert.match(sink.text, /✗ POST \/charge/);
    assert.ok(sink.text.endsWith('\n\n'));
  });

  test('a remote parent is the beginning too', async () => {
    const { exporter, sink } = setup();
    const trace = new TraceBuilder();
    trace.span('s', 'request', 'f'.repeat(16), 0, 1, { flags: 0x301 });
    await exporter.export(batch(trace.spans));
    assert.deepEqual(sizes(sink.text), [1]);
  });

  test('what is left over is printed after a while, at the end of the process, and at shutdown', async () => {
    const [, ...orphans] = checkout();
    const other = new TraceBuilder('c'.repeat(32));
    other.span('s', 'other', '', 0, 1);

    const timers = mock.timers;
    timers.enable({ apis: ['setTimeout'] });
    const waiting = setup();
    await waiting.exporter.export(batch(orphans.slice(0, 2)));
    timers.tick(99);
    await waiting.exporter.export(batch(orphans.slice(2, 4)));
    timers.tick(99);
    assert.equal(waiting.sink.text, '', 'each span makes it wait anew');
    timers.tick(1);
    assert.deepEqual(sizes(waiting.sink.text), [4]);
    timers.reset();

    const exiting = setup();
    await exiting.exporter.export(batch(orphans));
    exiting.exporter.exportSync!(batch(other.spans));
    assert.deepEqual(sizes(exiting.sink.text), [1, 21]);

    const closing = setup();
    await closing.exporter.export(batch(orphans));
    await closing.exporter.shutdown!();
    assert.deepEqual(sizes(closing.sink.text), [21]);
  });

  test('does not hold more than ten thousand spans', async () => {
    const { exporter, sink } = setup({ waitMs: 1_000_000, maxSpans: 1 });
    for (let index = 0; index < 11; index++) {
      const trace = new TraceBuilder(String(index).padStart(32, 'a'));
      for (let span = 0; span < 1000; span++) trace.span('s', 'span', 'f'.repeat(16), 0, 1);
      await exporter.export(batch(trace.spans));
    }
    assert.match(sink.text, /^trace a{31}0 /);
    assert.equal(sink.text.match(/^trace /gm)?.length, 1);
    await exporter.shutdown!();
  });

  test('a stream that fails is an error of the export, and no event that ends the application', async () => {
    const { exporter, sink } = setup();
    sink.failing = true;
    await assert.rejects(exporter.export(batch(checkout())), ExportError);
    await turn();
    assert.equal(sink.listeners, 0);

    const stream = new Writable({
      write: (_chunk, _encoding, callback) => callback(new Error('nobody reads')),
    });
    const broken = consoleExporter({ stream });
    for (let times = 0; times < 3; times++) {
      await assert.rejects(broken.export(batch(checkout())), ExportError);
      assert.throws(() => broken.exportSync!(batch(checkout())), ExportError);
    }
    await turn();
    assert.equal(stream.listenerCount('error'), 0);
  });

  test('wrong options throw at once', () => {
    const wrong: readonly (readonly [options: unknown, message: RegExp])[] = [
      [null, /consoleExporter: options must be an object, got null/],
      [{ stream: {} }, /stream must be an object with write, on, removeListener, .*; write is no method/],
      [{ waitMs: -1 }, /waitMs must be 0 to 2147483647 milliseconds, got -1/],
      [{ width: '80' }, /width must be a number of 1 or more, got "80"/],
      [{ maxSpans: Number.NaN }, /maxSpans must be a number of 1 or more, got NaN/],
      [{ colors: 'auto' }, /colors must be true or false, got "auto"/],
      [{ attributes: 'some' }, /attributes must be one of 'notable', 'all', 'none', got "some"/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => consoleExporter(options as never), { message });
    }
    assert.throws(() => formatTrace({} as never), /formatTrace: spans must be an array of SpanData, got/);
    assert.throws(() => formatTrace([], { alike: 0 }), /formatTrace: alike must be a number of 1 or more/);
  });

  test('writes to standard error by default, without colours where there is no terminal', async () => {
    const program = `
      import { consoleExporter, startTracing } from '@tracewell/sdk';
      const tracing = startTracing({ exporters: consoleExporter(), resource: { 'service.name': 'shop' } });
      const root = tracing.plugin.startSpan({ name: 'checkout' });
      tracing.plugin.endSpan(tracing.plugin.startSpan({ name: 'charge', parent: root }));
      tracing.plugin.endSpan(root);
      console.log('output of the program');`;
    const run = (env: Record<string, string>): Promise<{ stdout: string; stderr: string }> => {
      const args = ['--conditions=@tracewell/source', '--input-type=module', '-e', program];
      const { FORCE_COLOR: _, NO_COLOR: __, NODE_TEST_CONTEXT: ___, ...rest } = process.env;
      const child = spawn(process.execPath, args, { env: { ...rest, ...env } });
      const { promise, resolve } = Promise.withResolvers<{ stdout: string; stderr: string }>();
      const text = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const)
        child[name].on('data', (chunk) => (text[name] += chunk));
      child.on('close', () => resolve(text));
      return promise;
    };
    const { stdout, stderr } = await run({});
    assert.equal(stdout, 'output of the program\n');
    assert.match(stderr, /^trace [0-9a-f]{32} .*2 spans.*\ncheckout +shop .*\n└─ charge +shop /);
    assert.ok((await run({ FORCE_COLOR: '1' })).stderr.includes('\u001b['));
  });
});

/** The identities behind what was printed: the suite numbers batches and spans in the names. */
function printed(text: string): { traceId: string; spanId: string; name: string }[] {
  let traceId = '';
  return text.split('\n').flatMap((line) => {
    traceId = /^trace ([0-9a-f]{32})/.exec(line)?.[1] ?? traceId;
    const [name, batchNumber, index] = /batch (\d+) span (\d+)/.exec(line) ?? [];
    if (name === undefined) return [];
    const number = Number(batchNumber) * 65_536 + Number(index) + 1;
    return [{ traceId, name, spanId: number.toString(16).padStart(16, 'd') }];
  });
}

testBatchExporter('the console exporter', {
  create() {
    const sink = new TextSink();
    const exporter = consoleExporter({ stream: sink, width: 200, maxSpans: Infinity });
    return {
      exporter,
      spans: () => printed(sink.text),
      failDelivery: (failing) => {
        sink.failing = failing;
      },
    };
  },
});
