import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore, serveWal, type TraceStore, tcpWalSink } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { seededRandom } from '../fault-disk.ts';
import { id, span } from '../query/spans.ts';

const TOKEN = 'a token of some length';

test('a leader ships over TCP, also after the connection broke', async (t) => {
  await using standby = await openStore(newDirectory(t), { standby: true });
  let server = await serveWal(standby, { token: TOKEN });
  t.after(() => server.close());
  const { port } = server;
  const sink = tcpWalSink({ port, token: TOKEN, name: 'near' });
  await using leader = await openStore(newDirectory(t), { replication: { sinks: [sink] } });
  const insert = (n: number) => leader.insertSpans([span({ spanId: id(n) })]);
  for (let n = 1; n <= 20; n++) await insert(n);
  await Promise.all(Array.from({ length: 50 }, (_, i) => insert(21 + i)));
  assert.equal(await countIn(standby), 70);
  await server.close();
  await assert.rejects(insert(71), { code: 'TW_REPLICATION_UNAVAILABLE' });
  server = await serveWal(standby, { port, token: TOKEN });
  while ((await leader.health()).replication?.sinks[0]?.state !== 'shipping') await sleep(5);
  await insert(71);
  await insert(72);
  assert.equal(await countIn(standby), 72);
});

test('F45 without the token, or with another one, nothing is taken', async (t) => {
  await using standby = await openStore(newDirectory(t), { standby: true });
  const server = await serveWal(standby, { token: TOKEN });
  t.after(() => server.close());
  for (const token of ['', 'x', `${TOKEN} `, TOKEN.slice(1)]) {
    const sink = tcpWalSink({ port: server.port, token });
    await assert.rejects(sink.walPosition('0123456789abcdef', 1), /closed|ECONNRESET|EPIPE/);
    await sink.close?.();
  }
  await assert.rejects(serveWal(standby, { host: '0.0.0.0' }), /needs a token/);
  await assert.rejects(serveWal(standby, { token: 'short' }), /at least 16/);
});

test('F35 what is no message, or too large a one, ends the connection and nothing else', async (t) => {
  await using standby = await openStore(newDirectory(t), { standby: true });
  const server = await serveWal(standby);
  t.after(() => server.close());
  const hello = Buffer.from([0, 0, 0, 0, 1]);
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.from([0xff, 0xff, 0xff, 0xff, 1]),
    Buffer.concat([hello, Buffer.from([0xff, 0xff, 0xff, 0xff, 2])]),
    Buffer.concat([hello, Buffer.from([0, 0, 0, 0, 9])]),
  ]) {
    const socket = connect(server.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(bytes);
    await once(socket, 'close');
  }
  const sink = tcpWalSink({ port: server.port });
  assert.equal(await sink.walPosition('0123456789abcdef', 1), undefined);
  await assert.rejects(sink.applyFramedWal(new Uint8Array(5)), { code: 'TW_REPLICATION_DAMAGED' });
  await assert.rejects(sink.walPosition('../..', 1), /16 hex digits/);
  await sink.close?.();
});

test('a standby that is promoted after the leader was killed has every acknowledged row', {
  timeout: 60_000,
}, async (t) => {
  const random = seededRandom(11);
  for (let round = 0; round < 4; round++) {
    const [ours, theirs] = [newDirectory(t), newDirectory(t)];
    const standby = await openStore(theirs, { standby: true });
    const server = await serveWal(standby);
    const acknowledged = await runLeader(t, ours, server.port, Math.floor(random() * 150), 2);
    await server.close();
    assert.equal(await standby.promote(), 2);
    await standby.close();
    await using store = await openStore(theirs);
    const found = new Set((await store.queryTraces({ limit: 10_000 })).spans.map(({ spanId }) => spanId));
    assert.deepEqual(
      acknowledged.filter((spanId) => !found.has(spanId)),
      [],
    );
    assert.ok(acknowledged.length > 20, `${acknowledged.length} rows`);
    assert.equal((await store.health()).status, 'ok');
    await store.insertSpans([span({ spanId: id(0xffff) })]);
  }
});

async function countIn(store: TraceStore): Promise<number> {
  return (await store.queryTraces({ limit: 10_000 })).spans.length;
}

test('F32 a standby that is killed again and again misses nothing', { timeout: 60_000 }, async (t) => {
  const directory = newDirectory(t);
  let port = 0;
  const random = seededRandom(5);
  const source = newDirectory(t);
  let written = 0;
  for (let round = 0; round < 5; round++) {
    const child = spawn(
      process.execPath,
      ['--conditions=@tracewell/source', `${import.meta.dirname}/standing-child.ts`, directory, String(port)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    t.after(() => child.kill('SIGKILL'));
    [port] = (await once(createInterface({ input: child.stdout }), 'line')).map(Number) as [number];
    await using store = await openStore(source, {
      segmentBytes: 64 * 1024,
      replication: { sinks: [tcpWalSink({ port })] },
    });
    const until = Date.now() + random() * 150;
    const insertOne = (): Promise<unknown> =>
      store.insertSpans([span({ spanId: id(++written), attributes: { text: 'x'.repeat(300) } })]);
    await insertOne();
    while (Date.now() < until) await Promise.all([insertOne(), insertOne(), insertOne()]);
    const last = Promise.allSettled([insertOne(), insertOne()]);
    child.kill('SIGKILL');
    await once(child, 'close');
    await last;
  }
  await using standby = await openStore(directory, { standby: true });
  const server = await serveWal(standby);
  t.after(() => server.close());
  await using store = await openStore(source, {
    replication: { sinks: [tcpWalSink({ port: server.port })] },
  });
  await store.insertSpans([span({ spanId: id(++written) })]);
  assert.equal(await countIn(standby), written);
  assert.equal((await standby.health()).status, 'ok');
});

/** Runs leaders on one directory until they are killed; returns what they acknowledged. */
async function runLeader(
  t: TestContext,
  directory: string,
  port: number,
  ms: number,
  count: number,
): Promise<string[]> {
  const ids: string[] = [];
  const children = Array.from({ length: count }, (_, number) => {
    const child = spawn(
      process.execPath,
      [
        '--conditions=@tracewell/source',
        `${import.meta.dirname}/leading-child.ts`,
        directory,
        String(port),
        String(number),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    t.after(() => child.kill('SIGKILL'));
    const { promise: stored, resolve } = Promise.withResolvers<void>();
    createInterface({ input: child.stdout }).on('line', (line) => {
      ids.push(line);
      resolve();
    });
    return { child, stored };
  });
  for (const { stored } of children) await stored;
  await sleep(ms);
  await Promise.all(
    children.map(({ child }) => {
      child.kill('SIGKILL');
      return once(child, 'close');
    }),
  );
  return ids;
}
