import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { decodeTraces, decodeTracesJson, encodeTraces } from '@tracewell/otlp';
import { type BatchExporter, ExportError, type SpanBatch, type SpanData } from '@tracewell/plugin';
import { testBatchExporter } from '@tracewell/plugin/conformance';
import { bufferedPlugin, fileExporter } from '@tracewell/sdk';

const directory = mkdtempSync(join(tmpdir(), 'tracewell-file-'));
after(() => rmSync(directory, { recursive: true }));
let paths = 0;
const newPath = (): string => join(directory, `${++paths}`, 'traces.jsonl');

/** The spans of a file; a line that is cut is left out, one that is otherwise no OTLP fails. */
function read(path: string): SpanData[] {
  if (!existsSync(path) || statSync(path).isDirectory()) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .flatMap((line) => decodeTracesJson(line));
}

const names = (path: string): string[] => read(path).map((span) => span.name);

let template: SpanBatch | undefined;

/** A batch of one span. */
async function batch(name: string): Promise<SpanBatch> {
  if (template === undefined) {
    const plugin = bufferedPlugin({
      name: 'take',
      export: async (taken) => {
        template = taken;
      },
    });
    plugin.endSpan(plugin.startSpan({ name: 'template' }));
    await plugin.shutdown();
  }
  const [span] = decodeTraces(template!.bytes);
  return { bytes: encodeTraces([{ ...span!, name }]), spanCount: 1 };
}

testBatchExporter('the file exporter', {
  create() {
    const path = newPath();
    let written: SpanData[] = [];
    return {
      exporter: fileExporter(path),
      spans: () => [...written, ...read(path)],
      // A folder in its place cannot be written to, whoever tries.
      failDelivery(failing) {
        if (failing) {
          written = [...written, ...read(path)];
          rmSync(path, { force: true });
          mkdirSync(path, { recursive: true });
        } else rmSync(path, { recursive: true, force: true });
      },
    };
  },
});

describe('the file exporter', () => {
  test('writes one OTLP JSON request a line, and goes on with the file after a restart', async () => {
    const path = newPath();
    for (const name of ['first', 'second']) await fileExporter(path).export(await batch(name));
    const lines = readFileSync(path, 'utf8').split('\n');
    assert.equal(lines.length, 3);
    assert.equal(lines[2], '');
    for (const line of lines.slice(0, 2)) assert.ok(Array.isArray(JSON.parse(line).resourceSpans));
    assert.deepEqual(names(path), ['first', 'second']);
  });

  test('closes a line that a crash has cut off', async () => {
    const path = newPath();
    const exporter = fileExporter(path);
    await exporter.export(await batch('before'));
    appendFileSync(path, '{"resourceSpans":[{"res');
    await exporter.export(await batch('after'));
    assert.deepEqual(names(path), ['before', 'after']);
    appendFileSync(path, '{"cut again');
    exporter.exportSync!(await batch('at exit'));
    assert.deepEqual(names(path), ['before', 'after', 'at exit']);
  });

  test('rotates by size, keeps so many files, and loses nothing before that', async () => {
    const path = newPath();
    const exporter = fileExporter(path, { maxBytes: 2000, maxFiles: 3 });
    const all = Array.from({ length: 20 }, (_, index) => `span ${index}`);
    for (const name of all) await exporter.export(await batch(name));
    const files = [`${path}.3`, `${path}.2`, `${path}.1`, path];
    for (const file of files) assert.ok(statSync(file).size <= 2000);
    assert.equal(existsSync(`${path}.4`), false);
    const kept = files.flatMap(names);
    assert.deepEqual(kept, all.slice(-kept.length));
    assert.ok(kept.length > 4);
  });

  test('with no older files to keep it begins anew; a batch beyond the size is still written', async () => {
    const path = newPath();
    const exporter = fileExporter(path, { maxBytes: 10, maxFiles: 0 });
    for (const name of ['a', 'b']) await exporter.export(await batch(name));
    assert.deepEqual(names(path), ['b']);
    assert.equal(existsSync(`${path}.1`), false);
  });

  test('goes on in a new file when somebody moved or deleted it', async () => {
    const path = newPath();
    const exporter = fileExporter(path);
    await exporter.export(await batch('first'));
    renameSync(path, `${path}.moved`);
    await exporter.export(await batch('second'));
    rmSync(path);
    await exporter.export(await batch('third'));
    assert.deepEqual([names(`${path}.moved`), names(path)], [['first'], ['third']]);
  });

  test('exports that overlap, and one at exit while another is in flight, leave whole lines', async () => {
    const path = newPath();
    const exporter = fileExporter(path);
    const batches = await Promise.all(Array.from({ length: 20 }, (_, index) => batch(`span ${index}`)));
    const exports = batches.map((each) => exporter.export(each));
    for (let index = 0; index < 5; index++) exporter.exportSync!(await batch(`sync ${index}`));
    await Promise.all(exports);
    assert.equal(read(path).length, 25);
    assert.equal(readFileSync(path, 'utf8').split('\n').length, 26);
  });

  test('several processes write whole lines into one file', async () => {
    const path = newPath();
    const program = `
      import { fileExporter, startTracing } from '@tracewell/sdk';
      const tracing = startTracing({ exporters: fileExporter(${JSON.stringify(path)}) });
      for (let i = 0; i < 50; i++) {
        tracing.plugin.endSpan(tracing.plugin.startSpan({ name: 'span', attributes: { text: 'x'.repeat(5000) } }));
        await tracing.flush();
      }`;
    const args = ['--conditions=@tracewell/source', '--input-type=module', '-e', program];
    const codes = await Promise.all(
      [1, 2].map(() => {
        const { promise, resolve } = Promise.withResolvers<number | null>();
        spawn(process.execPath, args, { stdio: 'inherit' }).on('exit', resolve);
        return promise;
      }),
    );
    assert.deepEqual(codes, [0, 0]);
    assert.equal(read(path).length, 100);
    assert.equal(readFileSync(path, 'utf8').split('\n').length, 101);
  });

  test('a file that cannot be written is an error worth a retry; bytes that are no OTLP are not', async () => {
    const path = newPath();
    const blocked: BatchExporter = fileExporter(join(path, 'below', 'a file'));
    await fileExporter(path).export(await batch('a file where a folder should be'));
    const isError = (retryable: boolean) => (error: unknown) =>
      error instanceof ExportError && error.retryable === retryable && error.cause instanceof Error;
    await assert.rejects(blocked.export(await batch('x')), isError(true));
    const data = await batch('x');
    assert.throws(() => blocked.exportSync!(data), isError(true));
    const noise = { bytes: new Uint8Array([255, 255, 255]), spanCount: 1 };
    await assert.rejects(fileExporter(path).export(noise), isError(false));
  });

  test('wrong options throw at once', () => {
    assert.throws(() => fileExporter(''), /path must be a non-empty string/);
    assert.throws(() => fileExporter('x', { maxBytes: 0 }), /maxBytes/);
    assert.throws(() => fileExporter('x', { maxFiles: -1 }), /maxFiles/);
    assert.throws(() => fileExporter('x', { sync: 'yes' as never }), /sync must be true or false, got "yes"/);
    assert.throws(() => fileExporter('x', null as never), /options must be an object, got null/);
  });
});
