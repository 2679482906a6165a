import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES, ExportError, FlushError, TracewellError } from '@tracewell/plugin';

test('a TracewellError has a code, a message and a cause', () => {
  const cause = new Error('below');
  const error = new TracewellError('TW_DECODE_INVALID', 'no OTLP', { cause });
  assert.ok(error instanceof Error);
  assert.deepEqual(
    [error.name, error.code, error.message],
    ['TracewellError', 'TW_DECODE_INVALID', 'no OTLP'],
  );
  assert.equal(error.cause, cause);
  assert.ok(!Object.hasOwn(new TracewellError('TW_DECODE_INVALID', 'no OTLP'), 'cause'));
});

test('a FlushError says which plugin, why, and what became of the spans', () => {
  const cause = new Error('connection refused');
  const error = new FlushError('otlp', { retained: 3, dropped: 1, cause });
  assert.ok(error instanceof TracewellError);
  assert.deepEqual([error.name, error.code, error.plugin], ['FlushError', 'TW_FLUSH_FAILED', 'otlp']);
  assert.deepEqual([error.retained, error.dropped, error.cause], [3, 1, cause]);
  assert.match(error.message, /^otlp: .*connection refused.*3 .*retry.*1 .*dropped/);
  assert.match(new FlushError('otlp', { retained: 0, dropped: 0, message: 'why', cause }).message, /why/);
});

test('a FlushError of flushSync does not speak of a retry', () => {
  const { message, retained } = new FlushError('otlp', {
    retained: 3,
    dropped: 1,
    message: 'down',
    atExit: true,
  });
  assert.equal(retained, 3);
  assert.equal(
    message,
    'otlp: flush failed: down; 3 spans are lost when the process ends now, 1 were dropped',
  );
});

test('F51 a FlushError takes whatever was thrown for a cause', () => {
  const hostile = [
    'a string',
    Symbol('symbol'),
    null,
    Object.create(null),
    { toString: () => assert.fail('asked') },
    Object.defineProperty(new Error(), 'message', { get: () => assert.fail('asked') }),
    new Proxy({}, { getPrototypeOf: () => assert.fail('asked') }),
  ];
  for (const cause of hostile) {
    const error = new FlushError('plugin', { retained: 0, dropped: 0, cause });
    assert.equal(error.cause, cause);
    assert.match(error.message, /^plugin: flush failed: .+; 0 spans/s);
  }
});

test('an ExportError says whether and when to try again', () => {
  const plain = new ExportError('no', { retryable: false });
  assert.deepEqual([plain.code, plain.retryable], ['TW_EXPORT_FAILED', false]);
  assert.deepEqual([plain.retryAfterMs, plain.rejectedSpans], [undefined, undefined]);
  const full = new ExportError('late', {
    retryable: true,
    retryAfterMs: 5,
    rejectedSpans: 2,
    code: 'TW_EXPORT_TIMEOUT',
    cause: plain,
  });
  assert.deepEqual([full.name, full.code], ['ExportError', 'TW_EXPORT_TIMEOUT']);
  assert.deepEqual([full.retryAfterMs, full.rejectedSpans, full.cause], [5, 2, plain]);
});

test('every error code has the prefix TW_ and a meaning of one sentence', () => {
  for (const [code, meaning] of Object.entries(ERROR_CODES)) {
    assert.match(code, /^TW(_[A-Z]+)+$/);
    assert.match(meaning, /^[A-Z].*\.$/);
  }
});
