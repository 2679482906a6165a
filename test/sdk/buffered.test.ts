import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { decodeTraces } from '@tracewell/otlp';
import {
  type BatchExporter,
  ExportError,
  type ExporterStats,
  FlushError,
  type SpanBatch,
  TracewellError,
} from '@tracewell/plugin';
import { type BufferedPlugin, type BufferedPluginOptions, bufferedPlugin } from '@tracewell/sdk';
import { ManualTimers } from './support/manual-timers.ts';

/** An exporter that a test tells what to do with each batch. */
class ScriptedExporter implements BatchExporter {
  readonly name: string;
  readonly delivered: SpanBatch[] = [];
  readonly signals: AbortSignal[] = [];
  attempts = 0;
  /** What the next exports do; default: deliver. */
  behave: (batch: SpanBatch) => Promise<void> = async () => {};

  constructor(name = 'scripted') {
    this.name = name;
  }

  get deliveredSpans(): number {
    return this.delivered.reduce((sum, { spanCount }) => sum + spanCount, 0);
  }

  async export(batch: SpanBatch, options?: { readonly signal?: AbortSignal }): Promise<void> {
    this.attempts++;
    if (options?.signal !== undefined) this.signals.push(options.signal);
    await this.behave(batch);
    this.delivered.push(batch);
  }
}

const down = async (): Promise<never> => {
  throw new ExportError('the back end is down', { retryable: true });
};
const hanging = (): Promise<never> => new Promise(() => {});

function record(plugin: BufferedPlugin, spans: number): void {
  for (let index = 0; index < spans; index++) plugin.endSpan(plugin.startSpan({ name: `span ${index}` }));
}

function setUp(
  options: BufferedPluginOptions = {},
  exporters: readonly BatchExporter[] = [new ScriptedExporter()],
): { plugin: BufferedPlugin; exporter: ScriptedExporter; timers: ManualTimers; errors: unknown[] } {
  const timers = new ManualTimers();
  const errors: unknown[] = [];
  const plugin = bufferedPlugin(exporters, {
    timers,
    resource: { attributes: {} },
    onError: (error) => errors.push(error),
    ...options,
  });
  return { plugin, exporter: exporters[0] as ScriptedExporter, timers, errors };
}

function statsOf(plugin: BufferedPlugin, index = 0): ExporterStats {
  return plugin.stats().exporters[index]!;
}

/** `exported + retained + dropped` is what the exporter was given. */
function assertBalanced(plugin: BufferedPlugin, given: number, index = 0): void {
  const { exported, retained, dropped } = statsOf(plugin, index);
  assert.equal(exported + retained + dropped, given, `${exported} + ${retained} + ${dropped}`);
}

async function flushError(promise: Promise<void>): Promise<FlushError> {
  try {
    await promise;
  } catch (error) {
    assert.ok(error instanceof FlushError, String(error));
    return error;
  }
  throw new Error('the flush succeeded');
}

describe('delivery', () => {
  it('hands every exporter the same bytes', async () => {
    const exporters = [new ScriptedExporter('a'), new ScriptedExporter('b'), new ScriptedExporter('c')];
    const { plugin } = setUp({}, exporters);
    record(plugin, 3);
    await plugin.flush();
    assert.deepEqual(
      exporters.map(({ delivered }) => delivered[0]),
      Array(3).fill(exporters[0]!.delivered[0]),
    );
    assert.equal(exporters[0]!.delivered[0]!.bytes, exporters[2]!.delivered[0]!.bytes);
  });

  it('exports a full batch without waiting for a flush, and never inside the call that filled it', async () => {
    const { plugin, exporter, timers } = setUp({ batchMaxSpans: 10 });
    record(plugin, 25);
    assert.equal(exporter.attempts, 0);
    timers.pass(0);
    await turn();
    assert.equal(exporter.deliveredSpans, 20);
    assert.equal(plugin.stats().buffered, 5);
    assert.equal(statsOf(plugin).exported, 20);
  });

  it('has one export in flight, in the order in which spans ended', async () => {
    const { plugin, exporter } = setUp({ batchMaxSpans: 1 });
    let inFlight = 0;
    let most = 0;
    const order: SpanBatch[] = [];
    exporter.behave = async (batch) => {
      most = Math.max(most, ++inFlight);
      order.push(batch);
      await turn();
      inFlight--;
    };
    record(plugin, 5);
    await Promise.all([plugin.flush(), plugin.flush()]);
    assert.equal(most, 1);
    assert.deepEqual(exporter.delivered, order);
    assert.equal(exporter.attempts, 5);
  });

  it('lets the exporter flush what it buffers itself', async () => {
    const exporter = Object.assign(new ScriptedExporter(), {
      flushes: 0,
      flush: async () => void exporter.flushes++,
    });
    const { plugin } = setUp({}, [exporter]);
    await plugin.flush();
    assert.equal(exporter.flushes, 1);
    exporter.flush = down;
    assert.match((await flushError(plugin.flush())).message, /the back end is down/);
  });
});

describe('an export that fails', () => {
  it('rejects the flush, keeps the spans, and delivers them at the next flush, once', async () => {
    const { plugin, exporter, errors } = setUp();
    exporter.behave = down;
    record(plugin, 3);
    const error = await flushError(plugin.flush());
    assert.deepEqual([error.plugin, error.retained, error.dropped], ['scripted', 3, 0]);
    assert.match(String(error.cause), /the back end is down/);
    assert.equal(errors.length, 1);
    assertBalanced(plugin, 3);
    exporter.behave = async () => {};
    await plugin.flush();
    assert.equal(exporter.deliveredSpans, 3);
    assert.equal(statsOf(plugin).lastError, undefined);
  });

  it('is tried again by itself, after a random part of a delay that doubles up to its bound', async () => {
    const { plugin, exporter, timers } = setUp({
      retry: { initialDelayMs: 1000, maxDelayMs: 3000 },
      breaker: { failures: 100 },
    });
    exporter.behave = down;
    record(plugin, 1);
    await flushError(plugin.flush());
    // The timers draw 0.5 each time.
    for (const delay of [500, 1000, 1500, 1500]) {
      const before = exporter.attempts;
      timers.pass(delay - 1);
      await turn();
      assert.equal(exporter.attempts, before);
      timers.pass(1);
      await turn();
      assert.equal(exporter.attempts, before + 1);
    }
    exporter.behave = async () => {};
    timers.pass(1500);
    await turn();
    assert.equal(statsOf(plugin).exported, 1);
  });

  it('waits as long as the back end asked for, flushes or not', async () => {
    const { plugin, exporter, timers } = setUp();
    exporter.behave = async () => {
      throw new ExportError('busy', { retryable: true, retryAfterMs: 60_000 });
    };
    record(plugin, 1);
    await flushError(plugin.flush());
    timers.pass(59_999);
    assert.match((await flushError(plugin.flush())).message, /busy; 1 spans are kept/);
    assert.equal(exporter.attempts, 1);
    exporter.behave = async () => {};
    timers.pass(1);
    await turn();
    assert.equal(statsOf(plugin).exported, 1);
  });

  it('is left alone after several failures in a row, then tried with one batch', async () => {
    const { plugin, exporter, timers } = setUp({
      breaker: { failures: 3, openMs: 10_000 },
      batchMaxSpans: 1,
    });
    exporter.behave = down;
    record(plugin, 4);
    for (let failures = 0; failures < 3; failures++) await flushError(plugin.flush());
    await flushError(plugin.flush());
    assert.equal(exporter.attempts, 3);
    timers.pass(10_000);
    await turn();
    assert.equal(exporter.attempts, 4);
    await flushError(plugin.flush());
    assert.equal(exporter.attempts, 4);
    exporter.behave = async () => {};
    timers.pass(10_000);
    await turn();
    assert.equal(statsOf(plugin).exported, 4);
  });

  it('drops and counts a batch that the back end refuses for good, and goes on', async () => {
    const { plugin, exporter, errors } = setUp({ batchMaxSpans: 2 });
    exporter.behave = async (batch) => {
      if (exporter.attempts === 1) throw new ExportError('bad request', { retryable: false });
      assert.equal(batch.spanCount, 2);
    };
    record(plugin, 4);
    const error = await flushError(plugin.flush());
    assert.deepEqual([error.retained, error.dropped], [0, 2]);
    assert.match(String(errors), /bad request/);
    assert.deepEqual([statsOf(plugin).exported, statsOf(plugin).dropped], [2, 2]);
    // Dropped spans are reported once.
    await plugin.flush();
  });

  it('counts a partial success as what it was and does not send the batch again', async () => {
    const { plugin, exporter } = setUp();
    exporter.behave = async () => {
      throw new ExportError('1 span refused', { retryable: true, rejectedSpans: 1 });
    };
    record(plugin, 5);
    const error = await flushError(plugin.flush());
    assert.deepEqual([error.retained, error.dropped], [0, 1]);
    assert.deepEqual([statsOf(plugin).exported, statsOf(plugin).dropped], [4, 1]);
    await plugin.flush();
    assert.equal(exporter.attempts, 1);
  });

  it('never counts more rejected spans than the batch has', async () => {
    for (const rejectedSpans of [7, -1, 1.5, Number.NaN]) {
      const { plugin, exporter } = setUp();
      exporter.behave = async () => {
        throw new ExportError('odd', { retryable: false, rejectedSpans });
      };
      record(plugin, 5);
      await flushError(plugin.flush());
      assert.deepEqual([statsOf(plugin).exported, statsOf(plugin).dropped], [0, 5]);
    }
  });

  it('gives a batch up when it was tried for too long', async () => {
    const { plugin, exporter, timers } = setUp({
      retry: { initialDelayMs: 10, maxElapsedMs: 5000 },
      breaker: { failures: 1000 },
      batchMaxSpans: 1,
    });
    record(plugin, 2);
    let first: SpanBatch | undefined;
    exporter.behave = async (batch) => {
      first ??= batch;
      if (batch === first) await down();
    };
    await flushError(plugin.flush());
    for (let step = 0; step < 100 && statsOf(plugin).retained > 0; step++) {
      timers.pass(1000);
      await turn();
    }
    assert.deepEqual([statsOf(plugin).exported, statsOf(plugin).dropped], [1, 1]);
  });
});

describe('F51 an exporter that misbehaves', () => {
  const thrown: readonly [what: string, behave: () => unknown][] = [
    [
      'throws at once',
      () => {
        throw new Error('at once');
      },
    ],
    ['rejects with undefined', () => Promise.reject(undefined)],
    ['rejects with null', () => Promise.reject(null)],
    ['rejects with a string', () => Promise.reject('no')],
    ['rejects with an object without a prototype', () => Promise.reject(Object.create(null))],
    ['rejects with a symbol', () => Promise.reject(Symbol('no'))],
    [
      'rejects with what throws when it is looked at',
      () => {
        const { proxy, revoke } = Proxy.revocable({}, {});
        revoke();
        return Promise.reject(proxy);
      },
    ],
    [
      'throws a frozen object',
      () => {
        throw Object.freeze({ retryable: 'maybe', rejectedSpans: 'all' });
      },
    ],
    [
      'returns a thenable that throws',
      () => ({
        // biome-ignore lint/suspicious/noThenProperty: a thenable that breaks the rules is what is tested
        then() {
          throw new Error('then');
        },
      }),
    ],
  ];
  for (const [what, behave] of thrown) {
    it(`and ${what} harms neither the application nor its sibling`, async () => {
      const sibling = new ScriptedExporter('sibling');
      const broken = { name: 'broken', export: behave } as unknown as BatchExporter;
      const { plugin, errors } = setUp({}, [broken, sibling]);
      record(plugin, 3);
      const error = await flushError(plugin.flush());
      assert.equal(error.retained, 3);
      assert.equal(sibling.deliveredSpans, 3);
      assert.equal(errors.length, 1);
      assertBalanced(plugin, 3, 0);
      assertBalanced(plugin, 3, 1);
    });
  }

  it('and rejects with what cannot be shown does so beside another that fails', async () => {
    const nameless = { name: 'nameless', export: () => Promise.reject(Object.create(null)) };
    const failing = { name: 'failing', export: () => Promise.reject(new Error('no')) };
    const { plugin } = setUp({}, [nameless, failing]);
    record(plugin, 1);
    assert.equal((await flushError(plugin.flush())).retained, 2);
  });

  it('and makes exportSync asynchronous is told, and what it was given is kept', async () => {
    const late = {
      name: 'late',
      export: async () => {},
      exportSync: async () => Promise.reject(new Error('late')),
    };
    const { plugin } = setUp({}, [late]);
    record(plugin, 1);
    assert.throws(() => plugin.flushSync(), {
      name: 'FlushError',
      retained: 1,
      message: /must deliver before/,
    });
    await turn();
    assert.equal(statsOf(plugin).retained, 1);
  });

  it('and returns nothing is taken to have delivered', async () => {
    const { plugin } = setUp({}, [{ name: 'void', export: () => undefined } as unknown as BatchExporter]);
    record(plugin, 1);
    await plugin.flush();
    assert.equal(statsOf(plugin).exported, 1);
  });

  it('and settles twice counts once', async () => {
    const twice = {
      name: 'twice',
      export: () => ({
        // biome-ignore lint/suspicious/noThenProperty: a thenable that breaks the rules is what is tested
        then(resolve: () => void, reject: (error: Error) => void) {
          resolve();
          resolve();
          reject(new Error('too late'));
        },
      }),
    } as unknown as BatchExporter;
    const { plugin } = setUp({}, [twice]);
    record(plugin, 2);
    await plugin.flush();
    assert.deepEqual([statsOf(plugin).exported, statsOf(plugin).retained], [2, 0]);
  });

  it('and never settles is given up at the export timeout, its signal aborted, its sibling not delayed', async () => {
    const sibling = new ScriptedExporter('sibling');
    const { plugin, exporter, timers } = setUp({ exportTimeoutMs: 5000 }, [new ScriptedExporter(), sibling]);
    exporter.behave = hanging;
    record(plugin, 2);
    const flushed = flushError(plugin.flush());
    await turn();
    assert.equal(sibling.deliveredSpans, 2);
    assert.equal(exporter.signals[0]!.aborted, false);
    timers.pass(5000);
    const error = await flushed;
    assert.equal((error.cause as ExportError).code, 'TW_EXPORT_TIMEOUT');
    assert.equal(exporter.signals[0]!.aborted, true);
    assertBalanced(plugin, 2);
    exporter.behave = async () => {};
    await plugin.flush();
    assert.equal(statsOf(plugin).exported, 2);
  });

  it('and settles after its timeout changes nothing any more', async () => {
    const { plugin, exporter, timers } = setUp({ exportTimeoutMs: 5000 });
    const { promise, resolve } = Promise.withResolvers<void>();
    exporter.behave = () => promise;
    record(plugin, 2);
    const flushed = flushError(plugin.flush());
    timers.pass(5000);
    await flushed;
    resolve();
    await turn();
    assert.deepEqual([statsOf(plugin).exported, statsOf(plugin).retained], [0, 2]);
  });

  it('and whose error callback throws goes unnoticed', async () => {
    const { plugin, exporter } = setUp({
      onError: () => {
        throw new Error('callback');
      },
    });
    exporter.behave = down;
    record(plugin, 1);
    assert.match((await flushError(plugin.flush())).message, /the back end is down/);
  });
});

describe('an error says which exporter it comes from', () => {
  const failing = (name: string, error: unknown): BatchExporter =>
    Object.assign(new ScriptedExporter(name), { behave: () => Promise.reject(error) });

  it('once, and what it says of a retry stays', async () => {
    const original = new ExportError('busy', {
      retryable: true,
      retryAfterMs: 7,
      code: 'TW_EXPORT_TIMEOUT',
    });
    const { plugin, errors } = setUp({}, [
      failing('a', original),
      failing('b', new ExportError('b: no', { retryable: false, rejectedSpans: 1 })),
      failing('c', new TypeError('c is not a function')),
      failing('d', new TracewellError('TW_LOG_NO_SPACE', 'the disk is full')),
      failing('e', undefined),
    ]);
    record(plugin, 1);
    const { message } = await flushError(plugin.flush());
    assert.deepEqual(
      errors.map((error) => (error as Error).message),
      ['a: busy', 'b: no', 'c: c is not a function', 'd: the disk is full', 'e: failed with undefined'],
    );
    const [a, b, c, d] = errors as ExportError[];
    assert.ok(a instanceof ExportError);
    assert.deepEqual([a.code, a.retryAfterMs, a.cause], ['TW_EXPORT_TIMEOUT', 7, original]);
    assert.equal(b?.cause, undefined);
    assert.ok(c instanceof ExportError && c.cause instanceof TypeError);
    assert.equal(d?.code, 'TW_LOG_NO_SPACE');
    assert.match(
      message,
      /flush failed: a: busy; c: c is not a function; d: the disk is full; e: failed with undefined; 4 spans/,
    );
    assert.equal(statsOf(plugin).lastError, a);
  });

  it('also when the plugin itself says it', async () => {
    const { plugin, timers } = setUp({ exportTimeoutMs: 50 }, [
      Object.assign(new ScriptedExporter('slow'), { behave: hanging, flush: hanging }),
    ]);
    record(plugin, 1);
    assert.throws(() => plugin.flushSync(), /flush failed: slow: it has no exportSync/);
    const flushing = flushError(plugin.flush());
    await turn();
    timers.pass(50);
    assert.match((await flushing).message, /flush failed: slow: the export did not settle within 50 ms;/);
  });
});

describe('F52 a back end that is down for an hour under load', () => {
  for (const queueDropPolicy of ['oldest', 'newest'] as const) {
    it(`keeps memory under the bound, counts what it drops (the ${queueDropPolicy}), and resumes`, async () => {
      const queueMaxBytes = 100_000;
      const { plugin, exporter, timers } = setUp({ queueMaxBytes, queueDropPolicy, batchMaxSpans: 50 });
      exporter.behave = down;
      let given = 0;
      for (let second = 0; second < 3600; second++) {
        record(plugin, 20);
        given += 20;
        timers.pass(1000);
        if (second % 60 === 0) {
          await turn();
          assert.ok(statsOf(plugin).retainedBytes <= queueMaxBytes);
          assertBalanced(plugin, given - plugin.stats().buffered);
        }
      }
      const { retained, dropped, exported } = statsOf(plugin);
      assert.ok(retained > 0 && dropped > 60_000 && exported === 0);

      // What is in flight still fails.
      await turn();
      exporter.behave = async () => {};
      for (let second = 0; second < 60; second++) {
        timers.pass(1000);
        await turn();
      }
      assert.equal(statsOf(plugin).retained, 0);
      // The dropped ones are told of once.
      const error = await flushError(plugin.flush());
      assert.deepEqual([error.retained, error.dropped], [0, statsOf(plugin).dropped]);
      record(plugin, 10);
      await plugin.flush();
      assert.equal(statsOf(plugin).exported, given + 10 - error.dropped);
      assertBalanced(plugin, given + 10);
    });
  }
});

describe('a full queue', () => {
  for (const [queueDropPolicy, kept] of [
    ['oldest', ['span 3', 'span 4', 'span 5']],
    ['newest', ['span 0', 'span 1', 'span 2']],
  ] as const) {
    it(`drops the ${queueDropPolicy} batches`, async () => {
      const measured = setUp({ batchMaxSpans: 1 });
      record(measured.plugin, 1);
      const queueMaxBytes = 3 * statsOf(measured.plugin).retainedBytes;
      const { plugin, exporter, errors } = setUp({ queueDropPolicy, queueMaxBytes, batchMaxSpans: 1 });
      record(plugin, 6);
      const error = await flushError(plugin.flush());
      assert.deepEqual([error.retained, error.dropped], [0, 3]);
      const names = exporter.delivered.flatMap(({ bytes }) => decodeTraces(bytes).map((span) => span.name));
      assert.deepEqual(names, kept);
      assert.match(String(errors[0]), /1 spans dropped: its queue of \d+ bytes is full/);
    });
  }

  it('drops a batch that is larger than all of it', async () => {
    const { plugin } = setUp({ queueMaxBytes: 10 });
    record(plugin, 1);
    assert.equal((await flushError(plugin.flush())).dropped, 1);
    assertBalanced(plugin, 1);
  });
});

describe('flushSync', () => {
  class SyncExporter extends ScriptedExporter {
    readonly deliveredSync: SpanBatch[] = [];
    behaveSync: (batch: SpanBatch) => void = () => {};

    exportSync(batch: SpanBatch): void {
      this.behaveSync(batch);
      this.deliveredSync.push(batch);
    }
  }

  it('delivers what is buffered, queued and in flight, and the open spans, before it returns', async () => {
    const exporter = new SyncExporter();
    const { plugin } = setUp({ batchMaxSpans: 2 }, [exporter]);
    exporter.behave = hanging;
    record(plugin, 5);
    void plugin.flush().catch(() => {});
    await turn();
    assert.equal(exporter.attempts, 1);
    const open = plugin.startSpan({ name: 'open' });
    plugin.flushSync();
    const spans = exporter.deliveredSync.reduce((sum, { spanCount }) => sum + spanCount, 0);
    assert.equal(spans, 6);
    assert.deepEqual([statsOf(plugin).exported, statsOf(plugin).retained], [6, 0]);
    // It was written; it must not be written again.
    plugin.endSpan(open);
    assert.equal(plugin.stats().ended, 6);
  });

  it('counts once what arrives both ways', async () => {
    const exporter = new SyncExporter();
    const { plugin } = setUp({}, [exporter]);
    const { promise, resolve } = Promise.withResolvers<void>();
    exporter.behave = () => promise;
    record(plugin, 3);
    const flushed = plugin.flush();
    await turn();
    plugin.flushSync();
    resolve();
    await flushed;
    assert.equal(exporter.delivered.length, 1);
    assert.equal(exporter.deliveredSync.length, 1);
    assert.deepEqual([statsOf(plugin).exported, statsOf(plugin).retained], [3, 0]);
  });

  it('wakes a flush that waits for what it delivered', async () => {
    const exporter = new SyncExporter();
    const { plugin, timers } = setUp({ batchMaxSpans: 1, exportTimeoutMs: 1000 }, [exporter]);
    exporter.behave = hanging;
    record(plugin, 3);
    const flushed = plugin.flush();
    await turn();
    plugin.flushSync();
    timers.pass(1000);
    await flushed;
    assert.equal(statsOf(plugin).exported, 3);
  });

  it('keeps what an exporter cannot deliver synchronously, and says so', () => {
    const { plugin } = setUp();
    record(plugin, 2);
    assert.throws(
      () => plugin.flushSync(),
      (error) =>
        error instanceof FlushError && error.retained === 2 && /has no exportSync/.test(error.message),
    );
    assertBalanced(plugin, 2);
  });

  it('goes on with the other exporters when one throws', () => {
    const broken = new SyncExporter('broken');
    broken.behaveSync = () => {
      throw new Error('disk full');
    };
    const healthy = new SyncExporter('healthy');
    const { plugin } = setUp({}, [broken, healthy]);
    record(plugin, 2);
    assert.throws(() => plugin.flushSync(), /disk full/);
    assert.equal(healthy.deliveredSync.length, 1);
    assertBalanced(plugin, 2, 0);
    assertBalanced(plugin, 2, 1);
  });
});

describe('shutdown', () => {
  it('delivers, shuts the exporters down, and records nothing any more', async () => {
    const exporter = Object.assign(new ScriptedExporter(), { shutdowns: 0 });
    const withShutdown = Object.assign(exporter, { shutdown: async () => void exporter.shutdowns++ });
    const { plugin } = setUp({}, [withShutdown]);
    record(plugin, 2);
    plugin.startSpan({ name: 'open' });
    await Promise.all([plugin.shutdown(), plugin.shutdown()]);
    await plugin.shutdown();
    assert.deepEqual([exporter.deliveredSpans, exporter.shutdowns], [3, 1]);
    assert.equal(plugin.startSpan({ name: 'late' }), 0);
    await plugin.flush();
    plugin.flushSync();
    assert.equal(plugin.stats().started, 3);
  });

  it('tries once more although the back end asked to wait, then drops and counts', async () => {
    const { plugin, exporter } = setUp();
    exporter.behave = async () => {
      throw new ExportError('busy', { retryable: true, retryAfterMs: 3_600_000 });
    };
    record(plugin, 2);
    await flushError(plugin.flush());
    const error = await flushError(plugin.shutdown());
    assert.equal(exporter.attempts, 2);
    assert.deepEqual([error.retained, error.dropped], [0, 2]);
    assertBalanced(plugin, 2);
    assert.equal(statsOf(plugin).retainedBytes, 0);
  });

  it('F54 settles although an exporter hangs in everything', async () => {
    const exporter = Object.assign(new ScriptedExporter(), { flush: hanging, shutdown: hanging });
    const { plugin, timers } = setUp({ exportTimeoutMs: 1000 }, [exporter]);
    exporter.behave = hanging;
    record(plugin, 1);
    const failed = flushError(plugin.shutdown());
    for (let step = 0; step < 3; step++) {
      await turn();
      timers.pass(1000);
    }
    assert.equal((await failed).dropped, 1);
  });

  it('leaves no timer behind', async () => {
    const started = process.getActiveResourcesInfo().length;
    const plugin = bufferedPlugin({ name: 'down', export: down }, { resource: { attributes: {} } });
    record(plugin, 1);
    await flushError(plugin.flush());
    await flushError(plugin.shutdown());
    await turn();
    assert.equal(process.getActiveResourcesInfo().length, started);
  });
});

describe('the options of a buffered plugin', () => {
  const exporter = new ScriptedExporter();
  const wrong: readonly [options: Record<string, unknown>, message: RegExp][] = [
    [{ name: '' }, /name must be a non-empty string/],
    [{ liveMaxSpans: 0 }, /liveMaxSpans must be a whole number from 1 to 262143, got 0/],
    [{ liveMaxSpans: 2 ** 18 }, /liveMaxSpans must be a whole number from 1 to 262143/],
    [{ liveMaxBytes: '1' }, /liveMaxBytes must be a whole number/],
    [{ spanMaxBytes: 1023 }, /spanMaxBytes must be at least 1024, got 1023/],
    [{ batchMaxSpans: 1.5 }, /batchMaxSpans must be a whole number/],
    [{ batchMaxBytes: -1 }, /batchMaxBytes must be a whole number/],
    [{ queueMaxBytes: Number.NaN }, /queueMaxBytes must be a whole number/],
    [{ queueDropPolicy: 'random' }, /queueDropPolicy must be one of 'oldest', 'newest', got "random"/],
    [{ exportTimeoutMs: Number.POSITIVE_INFINITY }, /exportTimeoutMs must be 0 to 2147483647 milliseconds/],
    [{ retry: { initialDelayMs: -1 } }, /retry.initialDelayMs must be/],
    [{ breaker: { failures: 0 } }, /breaker.failures must be a whole number from 1/],
    [
      { limits: { eventCountLimit: -1 } },
      /limits.eventCountLimit must be a whole number from 0 on or Infinity/,
    ],
    [{ onError: 'log' }, /onError must be a function, got "log"/],
    [{ sampler: {} }, /sampler must be a Sampler/],
    [{ sampler: 'always_on' }, /sampler must be a Sampler, such as .*, got "always_on"/],
    [{ sampler: null }, /sampler must be a Sampler, .*, got null/],
    [{ resource: { 'service.name': 'x' } }, /resource: give { attributes: { 'service.name': … } }, got/],
    [{ resource: { attributes: null } }, /resource: give { attributes: .* got an object with attributes/],
    [{ resource: 'shop' }, /resource: give { attributes: .* got "shop"/],
    [{ clock: {} }, /clock must be an object with monotonicMs, wallMs, got an object without keys/],
    [{ timers: { now: Date.now } }, /timers must be an object with now, after, soon, random/],
    [{ random: 4 }, /random must be a function, got 4/],
    [{ retry: 3 }, /retry must be an object, got 3/],
    [{ limits: 5 }, /limits must be an object, got 5/],
    [{ resource: { attributes: [] } }, /resource: give { attributes: /],
  ];
  for (const [options, message] of wrong) {
    it(`refuse ${JSON.stringify(options)}`, () => {
      assert.throws(
        () => bufferedPlugin(exporter, options),
        (error) => (error instanceof RangeError || error instanceof TypeError) && message.test(error.message),
      );
    });
  }

  it('are an object', () => {
    assert.throws(() => bufferedPlugin(exporter, null as never), /options must be an object, got null/);
  });

  it('need an exporter that is one', () => {
    assert.throws(() => bufferedPlugin([]), /at least one exporter/);
    for (const wrongExporter of [null, {}, { name: 'a' }, { export() {} }, 'console']) {
      assert.throws(() => bufferedPlugin(wrongExporter as never), {
        name: 'TypeError',
        message: /each exporter must/,
      });
    }
  });

  it('need optional methods of an exporter to be methods', () => {
    const flawed = { name: 'flawed', export: async () => {}, exportSync: 'yes' };
    assert.throws(() => bufferedPlugin(flawed as never), {
      name: 'TypeError',
      message: /exportSync of the exporter flawed must be a function, got "yes"/,
    });
  });

  it('name the plugin after its exporters by default', () => {
    const { plugin } = setUp({}, [new ScriptedExporter('a'), new ScriptedExporter('b')]);
    assert.equal(plugin.name, 'a+b');
    assert.equal(setUp({ name: 'mine' }).plugin.name, 'mine');
  });
});
