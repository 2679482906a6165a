import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { decodeTraces } from '@tracewell/otlp';
import type { SpanData } from '@tracewell/plugin';
import { comparableForest } from './comparable.ts';
import { startRespServer } from './fixtures/resp-server.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('./fixtures/traced.cjs', import.meta.url));

/** The spans that a scenario records, in a process of its own. */
async function spansOf(side: 'ours' | 'sdk', scenario: string, port = 0): Promise<SpanData[]> {
  const { stdout } = await run(
    process.execPath,
    ['--conditions=@tracewell/source', program, side, scenario, String(port)],
    { timeout: 60_000, maxBuffer: 1 << 26 },
  );
  return decodeTraces(Buffer.from(stdout, 'base64'));
}

async function assertSame(scenario: string, port?: number): Promise<SpanData[]> {
  const ours = await spansOf('ours', scenario, port);
  const theirs = await spansOf('sdk', scenario, port);
  assert.ok(ours.length > 0);
  assert.deepEqual(comparableForest(ours), comparableForest(theirs));
  return ours;
}

test('http, undici and express instrumentations record the same on ours as on the OpenTelemetry SDK', async () => {
  const spans = await assertSame('http');
  const names = new Set(spans.map((span) => span.scope.name));
  for (const name of ['http', 'undici', 'express'])
    assert.ok(names.has(`@opentelemetry/instrumentation-${name}`), name);
  // Three requests, each one trace across client and server.
  assert.equal(new Set(spans.map((span) => span.traceId)).size, 3);
});

test('the pg instrumentation records the same against PostgreSQL', async () => {
  const database = await PGlite.create();
  const server = new PGLiteSocketServer({ db: database, host: '127.0.0.1', port: await freePort() });
  await server.start();
  try {
    const spans = await assertSame('pg', Number(server.getServerConn().split(':').at(-1)));
    assert.ok(spans.some((span) => span.status.code === 2));
  } finally {
    await server.stop();
    await database.close();
  }
});

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

test(`the ioredis instrumentation records the same against ${hasRedis ? 'redis-server' : 'a server that speaks RESP'}`, async () => {
  const server = hasRedis ? await startRedis() : await startStandIn();
  try {
    const spans = await assertSame('redis', server.port);
    assert.ok(spans.some((span) => span.status.code === 2));
  } finally {
    await server.stop();
  }
});

interface RunningServer {
  readonly port: number;
  stop(): Promise<void>;
}

async function startRedis(): Promise<RunningServer> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'tracewell-redis-'));
  const redis: ChildProcess = spawn(
    'redis-server',
    ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--dir', directory],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  for await (const chunk of redis.stdout!) if (String(chunk).includes('Ready to accept connections')) break;
  return {
    port,
    async stop() {
      redis.kill();
      if (redis.exitCode === null && redis.signalCode === null) await once(redis, 'exit');
      rmSync(directory, { recursive: true });
    },
  };
}

async function startStandIn(): Promise<RunningServer> {
  const server = await startRespServer();
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      server.close();
      await once(server, 'close');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
