import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeLogs, type LogData, SeverityNumber } from '@tracewell/otlp';
import type { LogQuery } from '@tracewell/store';
import fc from 'fast-check';
import { LogIndex } from '../../../packages/store/src/hot/logs/log-index.ts';
import type { LogRows } from '../../../packages/store/src/hot/logs/log-rows.ts';
import { findLogs, HotLogs } from '../../../packages/store/src/query/logs/find-logs.ts';
import { LogReader } from '../../../packages/store/src/query/logs/log-reader.ts';
import { planLogs } from '../../../packages/store/src/query/logs/plan.ts';
import { arbitraryLog, arbitraryLogQuery, log } from '../query/logs.ts';
import { allLogPages, LogsOracle } from '../query/logs-oracle.ts';
import { plain } from '../query/plain.ts';
import { id } from '../query/spans.ts';
import { SignalLog } from './memory-log.ts';

class MemoryLogs extends SignalLog<LogRows, LogIndex> {
  readonly #reader = new LogReader();

  constructor() {
    super(() => new LogIndex());
  }

  append(writer: string, logs: readonly LogData[]): void {
    this.appendBytes(writer, encodeLogs(logs));
  }

  find(query: LogQuery = {}): Promise<LogData[]> {
    const source = new HotLogs(this.index, this.#reader);
    return allLogPages((page) => findLogs([source], planLogs(page, 0n)), query);
  }
}

const WRITERS = ['a', 'b', 'c'] as const;
const writer = fc.constantFrom(...WRITERS);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ insert: fc.array(arbitraryLog, { minLength: 1, maxLength: 12 }), writer }),
  },
  { weight: 2, arbitrary: fc.record({ again: fc.nat(), writer }) },
  { weight: 1, arbitrary: fc.record({ seal: writer }) },
  { weight: 1, arbitrary: fc.record({ reopen: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ remove: writer }) },
);

test('the index answers as a plain list of all log records would', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.array(arbitraryLogQuery, { maxLength: 6 }),
      async (steps, queries) => {
        const memory = new MemoryLogs();
        // What each writer's segments hold, the last one being the one that is appended to.
        const segments = { a: [[]], b: [[]], c: [[]] } as Record<string, LogData[][][]>;
        let removed = { a: 0, b: 0, c: 0 } as Record<string, number>;
        const inserted: LogData[][] = [];
        const append = (to: string, logs: LogData[]): void => {
          memory.append(to, logs);
          segments[to]!.at(-1)!.push(logs);
        };
        for (const one of steps) {
          if ('insert' in one) {
            append(one.writer, one.insert);
            inserted.push(one.insert);
          } else if ('again' in one) {
            if (inserted.length > 0) append(one.writer, inserted[one.again % inserted.length]!);
          } else if ('seal' in one) {
            memory.seal(one.seal);
            segments[one.seal]!.push([]);
          } else if ('reopen' in one) {
            memory.reopen(one.reopen);
          } else if (segments[one.remove]!.length > 1) {
            removed = { ...removed, [one.remove]: removed[one.remove]! + 1 };
            segments[one.remove]!.shift();
            memory.remove(one.remove, removed[one.remove]!);
          }
        }
        const oracle = new LogsOracle();
        const left = Object.values(segments).flat(2);
        for (const logs of left) oracle.insert(logs);
        for (const query of [{}, ...queries]) {
          assert.deepEqual((await memory.find(query)).map(plain), oracle.all(query).map(plain));
        }
        const { count, copies } = memory.index.stats();
        assert.equal(count, oracle.size);
        assert.ok(copies <= left.flat().length - count);
      },
    ),
    { numRuns: 300 },
  );
});

test('a segment of many blocks keeps every record, in memory and saved', async () => {
  const memory = new MemoryLogs();
  const logs = Array.from({ length: 150_000 }, (_, number) =>
    log({
      service: `service ${number % 3}`,
      timeUnixNanos: BigInt(number),
      traceId: id(1) + id((number >> 3) + 1),
      severityNumber: number % 1000 === 0 ? SeverityNumber.ERROR : SeverityNumber.INFO,
    }),
  );
  for (let from = 0; from < logs.length; from += 1000) memory.append('a', logs.slice(from, from + 1000));
  for (const when of ['active', 'saved', 'scanned']) {
    if (when === 'saved') memory.seal('a');
    if (when !== 'active') memory.reopen(when === 'scanned');
    assert.equal(memory.index.stats().count, logs.length, when);
    const errors = await memory.find({ minSeverity: SeverityNumber.ERROR, service: 'service 1' });
    assert.deepEqual(
      errors.map((one) => one.timeUnixNanos),
      logs
        .filter((_, number) => number % 1000 === 0 && number % 3 === 1)
        .map((one) => one.timeUnixNanos)
        .reverse(),
      when,
    );
    const ofTrace = await memory.find({ traceId: id(1) + id(12_345) });
    assert.deepEqual(
      ofTrace.map(plain),
      logs
        .slice(12_344 * 8, 12_345 * 8)
        .reverse()
        .map(plain),
      when,
    );
  }
});

test('F21 a request that comes again counts once; a record that is repeated within a request counts each time', async () => {
  for (const second of WRITERS.slice(0, 2)) {
    for (const seal of [false, true]) {
      const memory = new MemoryLogs();
      const logs = Array.from({ length: 40 }, () => log());
      memory.append('a', logs);
      if (seal) memory.seal('a');
      memory.append(second, logs);
      memory.append(second, logs);
      assert.equal((await memory.find()).length, 40);
      const { count, copies } = memory.index.stats();
      assert.deepEqual([count, copies], [40, 80]);
      // The first copy goes; what was hidden in its favour is found and counted.
      if (!seal) continue;
      memory.remove('a', 1);
      assert.equal((await memory.find()).length, 40);
      assert.equal(memory.index.stats().count, 40);
    }
  }
});

test('a body that is not valid UTF-8 is found by what it is read as', async () => {
  const memory = new MemoryLogs();
  const bytes = Buffer.from(encodeLogs([log({ body: 'caf_ closed' })]));
  bytes[bytes.indexOf('_ closed')] = 0xe9;
  memory.appendBytes('a', bytes);
  for (const [text, count] of [
    ['caf\ufffd', 1],
    ['closed', 1],
    ['\ufffd\ufffd', 0],
    ['é', 0],
  ] as const) {
    assert.equal((await memory.find({ contains: text })).length, count, text);
  }
});

test('F19 a frame whose adding failed is entered whole when it is offered again', async () => {
  const memory = new MemoryLogs();
  memory.append('a', [log()]);
  const prepare = memory.index.prepare.bind(memory.index);
  memory.index.prepare = (payload) => {
    const rows = prepare(payload);
    // As if memory had run out at the third record.
    let reads = 0;
    const words = new Proxy(rows.words, {
      get(target, at) {
        if (at === String(2 * 8 + 4) && reads++ === 0) throw new RangeError('out of memory');
        return Reflect.get(target, at, target);
      },
    });
    return { ...rows, words };
  };
  const logs = Array.from({ length: 5 }, (_, number) => log({ timeUnixNanos: BigInt(number) }));
  assert.throws(() => memory.append('a', logs), /out of memory/);
  memory.index.prepare = prepare;
  memory.offerAgain('a');
  assert.equal((await memory.find()).length, 6);
  assert.equal(memory.index.stats().count, 6);
});

test('a saved index of another version, or cut short, is refused', () => {
  const memory = new MemoryLogs();
  memory.append('a', [log(), log({ service: 'pay', traceId: id(1) + id(2) })]);
  memory.seal('a');
  const segment = { writer: 'x', number: 1, id: 'x', sealed: true, bytes: 0 } as never;
  memory.index.addFrame(segment, 100, encodeLogs([log()]), memory.index.prepare(encodeLogs([log()])));
  const whole = new Uint8Array(Buffer.concat(memory.index.save(segment)!));
  const load = (bytes: Uint8Array): boolean => new LogIndex().load(segment, bytes);
  assert.equal(load(whole.slice()), true);
  for (let length = 0; length < whole.length; length += 8) assert.equal(load(whole.slice(0, length)), false);
  const other = whole.slice();
  other[4]!++;
  assert.equal(load(other), false);
});
