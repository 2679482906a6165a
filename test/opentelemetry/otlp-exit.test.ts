// What becomes of spans when the process ends and a collector is the only place that they go to.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decodeTraces } from '@tracewell/otlp';
import { type OtlpReceiver, otlpReceiver } from './fixtures/otlp-receiver.ts';

const path = (file: string): string => fileURLToPath(new URL(`./fixtures/${file}`, import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the last output of the application to the end of its process. */
  readonly exitMs: number;
}

interface Settings {
  /** Of the exporter; what JSON cannot say, words stand for: see fixtures/ending.ts. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly onOutput?: (application: ChildProcess) => void;
}

/** Runs an application that records one span that ends and one that does not, and ends itself as it is told. */
async function run(
  how: string,
  url: string,
  { options = {}, env = {}, onOutput }: Settings = {},
): Promise<Ended> {
  const application = spawn(
    process.execPath,
    ['--conditions=@tracewell/source', path('ending.ts'), how, url, JSON.stringify(options)],
    { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 30_000 },
  );
  let stdout = '';
  let stderr = '';
  let ending = Number.NaN;
  application.stdout.on('data', (chunk) => {
    stdout += chunk;
    ending = performance.now();
    onOutput?.(application);
  });
  application.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const [code, signal] = (await once(application, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr, exitMs: performance.now() - ending };
}

const received = ({ requests }: OtlpReceiver): string[] =>
  requests.flatMap(({ body }) => decodeTraces(body).map(({ name }) => name)).sort();

for (const [how, expected] of [
  ['exit', { code: 3, signal: null }],
  ['throw', { code: 1, signal: null }],
  ['reject', { code: 1, signal: null }],
  ['signal', { code: null, signal: 'SIGTERM' }],
  ['idle', { code: 0, signal: null }],
] as const) {
  test(`F53 a process that ends by ${how} ends as it would have, and the collector has its spans`, async () => {
    await using receiver = await otlpReceiver();
    const onOutput = (application: ChildProcess) => how === 'signal' && application.kill('SIGTERM');
    const { code, signal, stderr } = await run(how, receiver.url, { onOutput });
    assert.deepEqual({ code, signal }, expected);
    assert.deepEqual(received(receiver), ['ended', 'open']);
    if (how === 'throw' || how === 'reject')
      assert.match(stderr, /^\S+ending\.ts:\d+\n[\s\S]*Error: on purpose/);
    else assert.equal(stderr, '');
  });
}

test('while the event loop still turns, nothing is posted from another process', async () => {
  await using receiver = await otlpReceiver();
  // It has nothing open at its end, so that the flush before it delivers everything.
  await run('complete', receiver.url, { options: { exitTimeoutMillis: 0 } });
  assert.deepEqual(received(receiver), ['ended']);
});

test('spans that end in a listener of exit arrive too', async () => {
  await using receiver = await otlpReceiver();
  const { code } = await run('exit-listener', receiver.url);
  assert.equal(code, 3);
  assert.deepEqual(received(receiver), ['ended', 'late 0', 'late 1', 'open']);
});

test('several batches and one that is in flight all arrive', async () => {
  await using receiver = await otlpReceiver((response, { body }) => {
    // The first is never answered, as if it took long.
    if (receiver.requests.length > 1 || body.length === 0) response.end();
  });
  const { code } = await run('batches', receiver.url);
  assert.equal(code, 3);
  assert.deepEqual([...new Set(received(receiver))], ['batch 0', 'batch 1', 'batch 2', 'ended', 'open']);
});

test('a collector that is down costs little, changes no exit code and is reported', async () => {
  const { code, signal, stderr, exitMs } = await run('exit', 'http://127.0.0.1:1/v1/traces');
  assert.deepEqual({ code, signal }, { code: 3, signal: null });
  assert.ok(exitMs < 2000, `${exitMs} ms`);
  assert.equal(
    stderr,
    'otlp: flush failed: otlp: http://127.0.0.1:1/v1/traces cannot be reached: ECONNREFUSED; 2 spans are lost when the process ends now, 0 were dropped\n',
  );
});

test('a collector that does not answer holds up the end for exitTimeoutMillis, once', async () => {
  await using receiver = await otlpReceiver(() => {});
  const { code, stderr, exitMs } = await run('exit-listener', receiver.url, {
    options: { exitTimeoutMillis: 600 },
  });
  assert.equal(code, 3);
  assert.match(stderr, /did not answer within 600 ms/);
  assert.ok(exitMs > 500 && exitMs < 2500, `${exitMs} ms`);
  assert.equal(receiver.requests.length, 1);
});

test('what comes after a failure at exit does not wait for another', async () => {
  await using receiver = await otlpReceiver((response) => response.writeHead(503).end());
  const { code, stderr } = await run('exit-listener', receiver.url);
  assert.equal(code, 3);
  assert.match(stderr, /answered 503/);
  assert.equal(receiver.requests.length, 1);
});

test('what the collector refuses at exit is reported as at any other time', async () => {
  await using receiver = await otlpReceiver((response) =>
    response.writeHead(401, { 'content-type': 'text/plain' }).end('who are you'),
  );
  const { code, stderr } = await run('exit', receiver.url);
  assert.equal(code, 3);
  assert.match(stderr, /answered 401 \(who are you\): check the credentials/);
});

test('413 cuts the batch in halves at exit too', async () => {
  await using receiver = await otlpReceiver((response, { body }) =>
    response.writeHead(decodeTraces(body).length > 1 ? 413 : 200).end(),
  );
  await run('exit', receiver.url);
  assert.deepEqual(received(receiver), ['ended', 'ended', 'open', 'open']);
});

test('compression and a private authority work as before', async () => {
  const file = (name: string): Buffer => readFileSync(path(`tls/${name}`));
  const tls = { key: file('server.key'), cert: file('server.pem'), ca: file('ca.pem') };
  await using receiver = await otlpReceiver(undefined, {
    ...tls,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const { stderr } = await run('exit', receiver.url, { options: { compression: 'gzip' } });
  assert.match(stderr, /cannot be reached: [A-Z_]+/);
  await run('exit', receiver.url, {
    options: { compression: 'gzip' },
    env: {
      OTEL_EXPORTER_OTLP_CERTIFICATE: path('tls/ca.pem'),
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: path('tls/client.pem'),
      OTEL_EXPORTER_OTLP_CLIENT_KEY: path('tls/client.key'),
    },
  });
  assert.deepEqual(received(receiver), ['ended', 'open']);
  assert.equal(receiver.requests[0]!.headers['content-encoding'], 'gzip');
});

test('what cannot be taken along to another process is not left out but reported', async () => {
  for (const [options, expected] of [
    [
      { httpAgentOptions: 'function' },
      /gets nothing while the process exits: httpAgentOptions is a function/,
    ],
    [
      { httpAgentOptions: 'check' },
      /gets nothing while the process exits: httpAgentOptions holds a function/,
    ],
    [{ headers: 'function' }, /gets nothing while the process exits: the function that gives the headers/],
    [{ exitTimeoutMillis: 0 }, /exitTimeoutMillis is 0/],
  ] as const) {
    await using receiver = await otlpReceiver();
    const { code, stderr } = await run('exit', receiver.url, { options });
    assert.equal(code, 3);
    assert.match(stderr, expected);
    assert.equal(receiver.requests.length, 0);
  }
});

test('where no process may be started, the error says so', async () => {
  await using receiver = await otlpReceiver();
  const { code, stderr } = await run('exit', receiver.url, {
    env: { NODE_OPTIONS: '--permission --allow-fs-read=*' },
  });
  assert.equal(code, 3);
  assert.match(stderr, /gets nothing while the process exits: no process can post it: ERR_ACCESS_DENIED/);
});

test('headers that a function gave before are sent again at exit', async () => {
  await using receiver = await otlpReceiver();
  await run('flush-then-exit', receiver.url, { options: { headers: 'function' } });
  assert.deepEqual(
    receiver.requests.map(({ headers }) => headers.authorization),
    ['Bearer 1', 'Bearer 1'],
  );
  assert.deepEqual(received(receiver), ['ended', 'later', 'open']);
});

test('the child is not traced, and runs nothing that the application preloads', async (t: TestContext) => {
  await using receiver = await otlpReceiver();
  const folder = mkdtempSync(join(tmpdir(), 'tracewell-exit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const log = join(folder, 'loaded');
  const register = new URL('../../packages/node/src/register.ts', import.meta.url).href;
  await run('exit', receiver.url, {
    env: {
      NODE_OPTIONS: `--conditions=@tracewell/source --import ${register} --require ${path('preloaded.cjs')}`,
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: receiver.url,
      PRELOADED_LOG: log,
    },
  });
  assert.match(readFileSync(log, 'utf8'), /^\d+\n$/);
  assert.deepEqual(received(receiver), ['ended', 'open']);
});

test('F50 no secret is among the arguments or the environment of the child, nor in what is reported', {
  skip: process.platform !== 'linux' && 'needs /proc',
}, async () => {
  const secret = 'tok-1234567890';
  let seen = '';
  await using receiver = await otlpReceiver((response) => {
    // While the child waits for this answer.
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        if (argv.includes('--input-type=commonjs'))
          seen += argv + readFileSync(`/proc/${pid}/environ`, 'utf8');
      } catch {
        // It has ended, or is not ours.
      }
    }
    response.writeHead(500, { 'content-type': 'text/plain' }).end(`bad ${secret}`);
  });
  const { stderr, stdout } = await run('exit', receiver.url.replace('//', '//ada:hunter2@'), {
    env: { OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer ${secret}` },
  });
  assert.equal(receiver.requests[0]!.headers.authorization, `Bearer ${secret}`);
  assert.match(seen, /--eval/);
  for (const text of [seen, stderr, stdout]) assert.doesNotMatch(text, /tok-1234567890|hunter2/);
  assert.match(stderr, /answered 500 \(bad \[redacted\]\)/);
});
