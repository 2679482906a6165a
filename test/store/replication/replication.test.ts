import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore, type ReplicationError, type TraceStore, type WalSink } from '@tracewell/store';
import { newDirectory } from '../engine/directory.ts';
import { id, span } from '../query/spans.ts';

/** A way to a standby in this process that can be interrupted, and that keeps what went over it. */
interface Wire extends WalSink {
  standby: TraceStore | undefined;
  readonly records: Uint8Array[];
  /** Called before each record; may throw, or change what arrives. */
  tamper: (record: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

function wireTo(standby: TraceStore | undefined, name = 'standby'): Wire {
  const wire: Wire = {
    name,
    standby,
    records: [],
    tamper: (record) => record,
    async applyFramedWal(record) {
      if (wire.standby === undefined) throw new Error('the line is cut');
      wire.records.push(Uint8Array.from(record));
      return wire.standby.applyFramedWal(await wire.tamper(record));
    },
    async walPosition(writer, epoch) {
      if (wire.standby === undefined) throw new Error('the line is cut');
      return wire.standby.walPosition(writer, epoch);
    },
  };
  return wire;
}

async function insert(store: TraceStore, ...numbers: number[]): Promise<void> {
  for (const number of numbers)
    await store.insertSpans([span({ spanId: id(number), attributes: { text: 'x'.repeat(500) } })]);
}

async function numbersIn(store: TraceStore): Promise<number[]> {
  const { spans } = await store.queryTraces({ limit: 10_000 });
  return spans.map(({ spanId }) => Number.parseInt(spanId, 16)).sort((a, b) => a - b);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}

/** Waits until a condition holds. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, 'waited for ten seconds');
    await sleep(5);
  }
}

const SMALL = { segmentBytes: 64 * 1024 };

test('what is acknowledged is at the standby, across segments, and its queries find it', async (t) => {
  await using standby = await openStore(newDirectory(t), { standby: true });
  await using leader = await openStore(newDirectory(t), {
    ...SMALL,
    replication: { sinks: [wireTo(standby)] },
  });
  for (let n = 1; n <= 300; n++) {
    await insert(leader, n);
    if (n % 100 === 0) assert.deepEqual(await numbersIn(standby), upTo(n));
  }
  await leader.addComment({ traceId: span().traceId, author: 'me', text: 'look' });
  assert.equal((await standby.getComments(span().traceId)).length, 1);
  const { replication } = await leader.health();
  assert.deepEqual(replication, {
    epoch: 1,
    role: 'leader',
    recordsTaken: 0,
    sinks: [{ name: 'standby', state: 'shipping', lagBytes: 0 }],
  });
  assert.equal((await standby.health()).replication?.role, 'standby');
});

test('the copy has the same bytes in the same files', async (t) => {
  const [ours, theirs] = [newDirectory(t), newDirectory(t)];
  const standby = await openStore(theirs, { standby: true });
  const leader = await openStore(ours, { ...SMALL, replication: { sinks: [wireTo(standby)] } });
  await Promise.all(upTo(300).map((n) => insert(leader, n)));
  const writer = (await leader.health()).log.writers[0]!;
  for (let number = 1; number <= writer.segments; number++) {
    const path = join('log', writer.writer, `${String(number).padStart(10, '0')}.log`);
    const copy = readFileSync(join(theirs, path));
    assert.equal(Buffer.compare(readFileSync(join(ours, path)).subarray(0, copy.length), copy), 0);
    assert.ok(copy.length > 1000);
  }
  await leader.close();
  await standby.close();
});

test('F31 without its standby a leader refuses to acknowledge, to be tried again; the row stays and is shipped', async (t) => {
  await using standby = await openStore(newDirectory(t), { standby: true });
  const wire = wireTo(undefined);
  await using leader = await openStore(newDirectory(t), { replication: { sinks: [wire] } });
  await assert.rejects(insert(leader, 1), { code: 'TW_REPLICATION_UNAVAILABLE' });
  await assert.rejects(insert(leader, 2), { code: 'TW_REPLICATION_UNAVAILABLE' });
  assert.equal((await leader.health()).replication?.sinks[0]?.state, 'failing');
  wire.standby = standby;
  await until(async () => (await numbersIn(standby)).length === 2);
  await insert(leader, 1, 2, 3);
  assert.deepEqual(await numbersIn(standby), [1, 2, 3]);
  assert.equal((await numbersIn(leader)).length, 3);
});

test('F31 a standby that does not answer is not waited for longer than was said', async (t) => {
  await using standby = await openStore(newDirectory(t), { standby: true });
  const wire = wireTo(standby);
  await using leader = await openStore(newDirectory(t), {
    replication: { sinks: [wire], ackTimeoutMs: 400 },
  });
  await insert(leader, 1);
  wire.tamper = () => new Promise(() => {});
  const before = Date.now();
  await assert.rejects(insert(leader, 2), {
    code: 'TW_REPLICATION_UNAVAILABLE',
    message: /no answer within 400 ms/,
  });
  assert.ok(Date.now() - before < 2000);
});

test('as many standbys as are required must have it; none, and the leader does not wait', async (t) => {
  await using one = await openStore(newDirectory(t), { standby: true });
  await using two = await openStore(newDirectory(t), { standby: true });
  for (const [requiredAcks, connected, acknowledged] of [
    [0, 0, true],
    [1, 0, false],
    [1, 1, true],
    [2, 1, false],
    [2, 2, true],
  ] as const) {
    const wires = [
      wireTo(connected > 0 ? one : undefined, 'one'),
      wireTo(connected > 1 ? two : undefined, 'two'),
    ];
    await using leader = await openStore(newDirectory(t), { replication: { sinks: wires, requiredAcks } });
    const inserted = insert(leader, 1);
    if (acknowledged) await inserted;
    else await assert.rejects(inserted, { code: 'TW_REPLICATION_UNAVAILABLE' });
  }
});

test('F32 a gap and a reorder are refused with the place that is wanted, a duplicate is ignored', async (t) => {
  await using standby = await openStore(newDirectory(t), { standby: true });
  const wire = wireTo(standby);
  await using leader = await openStore(newDirectory(t), { replication: { sinks: [wire] } });
  await insert(leader, 1, 2, 3);
  await using other = await openStore(newDirectory(t), { standby: true });
  const [first, second, third] = wire.records as [Uint8Array, Uint8Array, Uint8Array];
  await assert.rejects(other.applyFramedWal(second), { code: 'TW_REPLICATION_GAP', position: undefined });
  const position = await other.applyFramedWal(first);
  await assert.rejects(other.applyFramedWal(third), { code: 'TW_REPLICATION_GAP', position });
  assert.deepEqual(await other.applyFramedWal(first), position);
  await other.applyFramedWal(second);
  assert.notDeepEqual(await other.applyFramedWal(first), position);
  await other.applyFramedWal(third);
  for (const record of [second, third, first]) await other.applyFramedWal(record);
  assert.deepEqual(await numbersIn(other), [1, 2, 3]);
});

test('F32 a damaged record is refused, whichever byte it is, and asked for again', async (t) => {
  await using standby = await openStore(newDirectory(t), { standby: true });
  const wire = wireTo(standby);
  await using leader = await openStore(newDirectory(t), { replication: { sinks: [wire] } });
  await insert(leader, 1);
  const [record] = wire.records as [Uint8Array];
  await using other = await openStore(newDirectory(t), { standby: true });
  for (let at = 0; at < record.length; at += at < 200 ? 1 : 37) {
    const damaged = Uint8Array.from(record);
    damaged[at]! ^= 0x10;
    await assert.rejects(other.applyFramedWal(damaged), { code: 'TW_REPLICATION_DAMAGED' }, `byte ${at}`);
    await assert.rejects(other.applyFramedWal(record.subarray(0, at)), { code: 'TW_REPLICATION_DAMAGED' });
  }
  assert.deepEqual(await numbersIn(other), []);
  // On the wire: refused, asked again, arrived.
  let times = 0;
  wire.tamper = (some) => {
    if (times++ > 1) return some;
    const damaged = Uint8Array.from(some);
    damaged[damaged.length - 9]! ^= 1;
    return damaged;
  };
  while (
    !(await insert(leader, 2).then(
      () => true,
      () => false,
    ))
  );
  assert.ok(times > 2);
  assert.deepEqual(await numbersIn(standby), [1, 2]);
});

test('F33 a deposed leader is refused by its epoch, which never decreases across restarts', async (t) => {
  const [ours, theirs] = [newDirectory(t), newDirectory(t)];
  let standby = await openStore(theirs, { standby: true });
  const wire = wireTo(standby);
  const leader = await openStore(ours, { replication: { sinks: [wire] } });
  await insert(leader, 1);
  assert.equal(await standby.promote(), 2);
  assert.equal(await standby.promote(), 2);
  await assert.rejects(insert(leader, 2), { code: 'TW_REPLICATION_FENCED', epoch: 2 });
  await assert.rejects(insert(leader, 3), { code: 'TW_REPLICATION_FENCED' });
  await standby.close();

  // The new leader, with a standby of its own.
  const third = await openStore(newDirectory(t), { standby: true });
  const next = await openStore(theirs, { replication: { sinks: [wireTo(third)] } });
  await insert(next, 4);
  assert.equal((await third.health()).replication?.epoch, 2);
  // The old one reaches the standby of the new one, and is refused there too, also after both have restarted.
  await leader.close();
  wire.standby = third;
  await using again = await openStore(ours, { replication: { sinks: [wire] } });
  await assert.rejects(insert(again, 5), { code: 'TW_REPLICATION_FENCED', epoch: 2 });
  await next.close();
  await third.close();
  standby = await openStore(third.directory, { standby: true });
  t.after(() => standby.close());
  assert.equal((await standby.health()).replication?.epoch, 2);
  await assert.rejects(standby.applyFramedWal(wire.records[0]!), { code: 'TW_REPLICATION_FENCED', epoch: 2 });
  assert.deepEqual((await numbersIn(standby)).includes(5), false);
});

test('F33 an epoch that cannot be read stops the opening', async (t) => {
  const directory = newDirectory(t);
  await (await openStore(directory, { standby: true })).close();
  const path = join(directory, 'epoch');
  writeFileSync(path, readFileSync(path, 'utf8').replace('0', '7'));
  await assert.rejects(openStore(directory, { standby: true }), { code: 'TW_REPLICATION_DAMAGED' });
  await assert.rejects(openStore(directory), { code: 'TW_REPLICATION_DAMAGED' });
});

test('a standby that was away, or begins with nothing, catches up from the log', async (t) => {
  const directory = newDirectory(t);
  const wire = wireTo(undefined);
  await using leader = await openStore(newDirectory(t), {
    ...SMALL,
    replication: { sinks: [wire], requiredAcks: 0 },
  });
  await insert(leader, ...upTo(200));
  for (const count of [200, 400, 600]) {
    await using standby = await openStore(directory, { standby: true });
    wire.standby = standby;
    await until(async () => (await numbersIn(standby)).length === count);
    wire.standby = undefined;
    await insert(leader, ...upTo(200).map((n) => count + n));
  }
});

test('a standby begins with a copy of the directory, made while the leader writes', async (t) => {
  const [ours, theirs] = [newDirectory(t), newDirectory(t)];
  const wire = wireTo(undefined);
  await using leader = await openStore(ours, { ...SMALL, replication: { sinks: [wire], requiredAcks: 0 } });
  await insert(leader, ...upTo(200));
  const writing = insert(leader, ...upTo(100).map((n) => 200 + n));
  cpSync(ours, theirs, { recursive: true });
  await writing;
  await using standby = await openStore(theirs, { standby: true });
  const before = (await numbersIn(standby)).length;
  assert.ok(before >= 200);
  wire.standby = standby;
  await until(async () => (await numbersIn(standby)).length === 300);
  const writer = (await leader.health()).log.writers[0]!.writer;
  assert.equal((await standby.walPosition(writer, 1))?.sequence, 300);
});

test('a standby with other bytes than the leader is told so, and takes nothing', async (t) => {
  const [ours, theirs] = [newDirectory(t), newDirectory(t)];
  const wire = wireTo(undefined);
  {
    await using leader = await openStore(ours, { replication: { sinks: [wire], requiredAcks: 0 } });
    await insert(leader, 1);
    cpSync(ours, theirs, { recursive: true });
  }
  // Somebody opened the copy as if it were a store of its own.
  await using copy = await openStore(theirs);
  await insert(copy, 2);
  await copy.close();
  await using standby = await openStore(theirs, { standby: true });
  wire.standby = standby;
  await using leader = await openStore(ours, { replication: { sinks: [wire] } });
  await assert.rejects(insert(leader, 3), { code: 'TW_REPLICATION_UNAVAILABLE' });
  const [sink] = (await leader.health()).replication!.sinks;
  assert.equal(sink!.state, 'refused');
  assert.equal((sink!.lastError as ReplicationError).code, 'TW_REPLICATION_DIVERGED');
});

test('a standby refuses what is for leaders, a leader what is for standbys', async (t) => {
  const directory = newDirectory(t);
  const standby = await openStore(directory, { standby: true });
  await assert.rejects(insert(standby, 1), { code: 'TW_LOG_READ_ONLY' });
  await assert.rejects(openStore(directory), { code: 'TW_REPLICATION_STANDBY' });
  await standby.close();
  await assert.rejects(openStore(directory), { code: 'TW_REPLICATION_STANDBY' });
  assert.ok(!existsSync(join(directory, 'tails')));
  await using leader = await openStore(newDirectory(t));
  await assert.rejects(leader.promote(), { code: 'TW_REPLICATION_STANDBY' });
  await assert.rejects(leader.applyFramedWal(new Uint8Array(100)), { code: 'TW_REPLICATION_STANDBY' });
  assert.equal((await leader.health()).replication, undefined);
});

test('wrong options are named', async (t) => {
  const directory = newDirectory(t);
  const wire = wireTo(undefined);
  for (const [options, problem] of [
    [{ standby: 1 }, /standby must be true or false, got 1/],
    [{ replication: { sinks: {} } }, /replication.sinks must be an array of sinks/],
    [{ replication: { sinks: [{}] } }, /replication.sinks must be an array of sinks/],
    [{ replication: { sinks: [wire, wire] } }, /two sinks have the name standby/],
    [{ replication: { sinks: [wire], requiredAcks: 2 } }, /requiredAcks must be a whole number from 0 to 1/],
    [{ replication: { sinks: [wire], ackTimeoutMs: 0 } }, /ackTimeoutMs must be/],
    [{ replication: { sinks: [wire], nope: 1 } }, /nope is no field of replication/],
    [{ replication: { sinks: [wire] }, standby: true }, /no log of its own/],
  ] as const) {
    await assert.rejects(openStore(directory, options as never), problem);
  }
});

test('logs whose writers have died are shipped too, and the log is kept for a standby that is away', async (t) => {
  const directory = newDirectory(t);
  {
    // Three writers at a time make three logs; the next store takes over one of them.
    const stores = await Promise.all([1, 2, 3].map(() => openStore(directory)));
    for (const [index, store] of stores.entries()) await insert(store, index + 1);
    for (const store of stores) await store.close();
  }
  await using standby = await openStore(newDirectory(t), { standby: true });
  const wire = wireTo(standby);
  await using leader = await openStore(directory, { ...SMALL, replication: { sinks: [wire] } });
  await insert(leader, 4);
  await until(async () => (await numbersIn(standby)).length === 4);
  await until(async () => (await leader.health()).replication?.sinks[0]?.lagBytes === 0);
  await until(async () =>
    (await leader.health()).tails.some(({ name, lagBytes }) => name === 'standby-standby' && lagBytes === 0),
  );
  // What the standby has not had stays in the log, whatever is compacted.
  wire.standby = undefined;
  for (let n = 5; n <= 300; n++) await insert(leader, n).catch(() => {});
  await leader.compact();
  wire.standby = standby;
  await until(async () => (await numbersIn(standby)).length === 300);
});
