import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AttributeValue, SpanData } from '@tracewell/plugin';
import { type RedactionOptions, redact, secretRules } from '@tracewell/sdk';
import fc from 'fast-check';
import { ReferencePlugin } from '../plugin/reference-plugin.ts';

/** Records one span with these attributes, given at its start and one by one; both have to come out alike. */
async function redacted(
  options: RedactionOptions,
  attributes: Record<string, AttributeValue>,
): Promise<Record<string, unknown>> {
  const inner = new ReferencePlugin({});
  const plugin = redact(inner, options);
  plugin.endSpan(plugin.startSpan({ name: 'at once', attributes }));
  const span = plugin.startSpan({ name: 'one by one' });
  for (const [key, value] of Object.entries(attributes)) plugin.setAttribute(span, key, value);
  plugin.addEvent(span, { name: 'event', attributes });
  plugin.addLink(span, { context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }, attributes });
  plugin.endSpan(span);
  await plugin.flush();
  const plain = (value: unknown): Record<string, unknown> =>
    JSON.parse(JSON.stringify(value, (_, part) => (part instanceof Uint8Array ? [...part] : part)));
  const [first, second] = inner.delivered as [SpanData, SpanData];
  const result = plain(first.attributes);
  assert.deepEqual(plain(second.attributes), result);
  assert.deepEqual(plain(second.events[0]!.attributes), result);
  assert.deepEqual(plain(second.links[0]!.attributes), result);
  return result;
}

/** One text through the ready-made rules. */
async function cleaned(text: string): Promise<unknown> {
  return (await redacted(secretRules, { text })).text;
}

describe('redaction', () => {
  test('by key: exact without regard to case, with wildcards, by regular expression, inside maps', async () => {
    const result = await redacted(
      { keys: ['Secret', 'http.request.header.*', '*.password', /^x-\d+$/g] },
      {
        secret: 'a',
        SECRET: 1,
        secrets: 'kept',
        'http.request.header.cookie': ['a', 'b'],
        'db.password': true,
        'x-1': 'a',
        'x-2': 'a',
        'x-y': 'kept',
        'a.b': 'kept',
        map: { secret: 'a', list: [{ 'db.password': 'b', kept: 1 }] },
        bytes: new Uint8Array([1]),
      },
    );
    const gone = '[redacted]';
    assert.deepEqual(result, {
      secret: gone,
      SECRET: gone,
      secrets: 'kept',
      'http.request.header.cookie': gone,
      'db.password': gone,
      'x-1': gone,
      'x-2': gone,
      'x-y': 'kept',
      'a.b': 'kept',
      map: { secret: gone, list: [{ 'db.password': gone, kept: 1 }] },
      bytes: [1],
    });
  });

  test('by pattern: only the part that matches, everywhere in a value', async () => {
    const result = await redacted(
      { patterns: [/\d{3}-\d{4}/, { pattern: /[a-z]+!/i, accept: (match) => match === 'Boo!' }] },
      { text: 'call 555-1234 or 555-9876', list: ['555-1234', 'no'], map: { a: 'Boo! foo!' }, kept: 1 },
    );
    assert.deepEqual(result, {
      text: 'call [redacted] or [redacted]',
      list: ['[redacted]', 'no'],
      map: { a: '[redacted] foo!' },
      kept: 1,
    });
  });

  test('patterns that refer to their groups, or differ in their flags, work beside others', async () => {
    const result = await redacted(
      { patterns: [/(x)y/, /(a|b)\1/, /(?<q>['"])in\k<q>/, /upper/i, /^line$/m] },
      { a: 'aa bb ab', b: `'in' "in" 'in"`, c: 'UPPER xy', d: 'no\nline\nno', e: 'harmless' },
    );
    const gone = '[redacted]';
    assert.deepEqual(result, {
      a: `${gone} ${gone} ab`,
      b: `${gone} ${gone} 'in"`,
      c: `${gone} ${gone}`,
      d: `no\n${gone}\nno`,
      e: 'harmless',
    });
  });

  test('removes, or replaces by a text, or by a hash that shows what is equal', async () => {
    const rules = { keys: ['key'], patterns: [/secret/] };
    const attributes = { key: 'v', text: 'a secret', list: ['secret', 'kept'], kept: 'x' };
    assert.deepEqual(await redacted({ ...rules, replace: 'remove' }, attributes), {
      list: [null, 'kept'],
      kept: 'x',
    });
    assert.equal((await redacted({ ...rules, replace: { text: '$&' } }, attributes)).text, 'a $&');
    const hashed = await redacted({ ...rules, replace: 'hash', hashKey: 'k' }, { key: 'v', text: 'v' });
    assert.match(String(hashed.key), /^hmac-sha256:[0-9a-f]{32}$/);
    const again = await redacted({ ...rules, replace: 'hash', hashKey: 'k' }, { key: 'v' });
    assert.equal(again.key, hashed.key);
    const other = await redacted({ ...rules, replace: 'hash' }, { key: 'v' });
    assert.notEqual(other.key, hashed.key, 'without a key of its own, each plugin hashes differently');
  });

  test('passes on the very objects of the caller where nothing is redacted', () => {
    const inner = new ReferencePlugin({});
    const passed: unknown[] = [];
    inner.startSpan = (start) => {
      passed.push(start);
      return 1;
    };
    const start = { name: 'span', attributes: { list: [1, 'x', { a: 'b' }] }, links: [] };
    redact(inner, secretRules).startSpan(start);
    assert.equal(passed[0], start);
  });

  test('status messages by default, names when asked', async () => {
    const inner = new ReferencePlugin({});
    const rules = { patterns: [/secret/] };
    for (const options of [rules, { ...rules, names: true, statusMessages: false }]) {
      const plugin = redact(inner, options);
      const span = plugin.startSpan({ name: 'secret 1' });
      plugin.updateName(span, 'secret 2');
      plugin.addEvent(span, { name: 'secret 3' });
      plugin.setStatus(span, { code: 2, message: 'secret 4' });
      plugin.endSpan(span);
      await plugin.flush();
    }
    assert.deepEqual(
      inner.delivered.map(({ name, events, status }) => [name, events[0]!.name, status.message]),
      [
        ['secret 2', 'secret 3', '[redacted] 4'],
        ['[redacted] 2', '[redacted] 3', 'secret 4'],
      ],
    );
  });

  test('what is too long to be looked at is cut, what is too deep is replaced', async () => {
    const long = `${'x'.repeat(20)} secret`;
    const result = await redacted({ patterns: [/secret/], valueMaxLength: 20 }, { long, short: 'secret' });
    assert.deepEqual(result, { long: `${'x'.repeat(20)}…`, short: '[redacted]' });
    const pair = await redacted({ patterns: [/secret/], valueMaxLength: 3 }, { pair: 'xx🚀x' });
    assert.deepEqual(pair, { pair: 'xx…' }, 'never through a character');
    let deep: AttributeValue = 'harmless, but nobody looks there';
    for (let depth = 0; depth < 20; depth++) deep = [deep];
    assert.match(JSON.stringify(await redacted({ patterns: [/secret/] }, { deep })), /\["\[redacted\]"\]/);
  });

  test('a getter that throws, a circular value: the rest is recorded, the secret is not', async () => {
    const circular: Record<string, AttributeValue> = { password: 'p' };
    circular.self = circular;
    const hostile = Object.defineProperty({ password: 'p', kept: 1 }, 'boom', {
      enumerable: true,
      get: () => {
        throw new Error('boom');
      },
    });
    const inner = new ReferencePlugin({});
    const plugin = redact(inner, { keys: ['password'] });
    const span = plugin.startSpan({ name: 'span', attributes: hostile });
    plugin.setAttribute(span, 'circular', circular);
    plugin.endSpan(span);
    await plugin.flush();
    const { attributes } = inner.delivered[0]!;
    assert.equal(attributes.kept, 1);
    assert.equal(attributes.password, '[redacted]');
    assert.ok(!JSON.stringify(attributes.circular ?? '').includes('"p"'));
  });

  test('counts what it redacted', () => {
    const plugin = redact(new ReferencePlugin({}), { keys: ['a'], patterns: [/b/] });
    plugin.startSpan({ name: 'span', attributes: { a: 1, x: 'abba', y: 'c' } });
    assert.equal(plugin.stats().redacted, 3);
  });

  test('wrong options throw at once', () => {
    const inner = new ReferencePlugin({});
    assert.throws(() => redact([], secretRules), /plugins is empty/);
    assert.throws(
      () => redact(inner, { keys: [1 as never] }),
      /keys\[0\] must be a string or a regular expression, got 1/,
    );
    assert.throws(
      () => redact(inner, { patterns: ['x' as never] }),
      /patterns\[0\] must be a regular expression or .*, got "x"/,
    );
    assert.throws(() => redact(inner, { ...secretRules, replace: 'no' as never }), /replace must be/);
    assert.throws(() => redact(inner, { ...secretRules, valueMaxLength: 0 }), /valueMaxLength/);
    const wrong: readonly (readonly [options: unknown, message: RegExp])[] = [
      [undefined, /redact: options must be an object, got undefined/],
      [{}, /options must have keys or patterns, such as secretRules/],
      [{ keys: 'password' }, /keys must be an array, got "password"/],
      [{ patterns: [{ pattern: /x/, accept: true }] }, /patterns\[0\] must be/],
      [{ ...secretRules, hashKey: '' }, /hashKey must be a non-empty string, got ""/],
      [{ ...secretRules, names: 1 }, /names must be true or false, got 1/],
      [{ ...secretRules, statusMessages: 'no' }, /statusMessages must be true or false/],
      [{ ...secretRules, onError: 'log' }, /onError must be a function/],
    ];
    for (const [options, message] of wrong) {
      assert.throws(() => redact(inner, options as never), { name: 'TypeError', message });
    }
  });

  test('nothing that a pattern matches gets through, wherever it stands', async () => {
    const value: fc.Memo<AttributeValue> = fc.memo((depth) =>
      depth <= 1
        ? fc.oneof(
            fc.string(),
            fc.constant('s3cret'),
            fc.string().map((text) => `${text}s3cret${text}`),
          )
        : fc.oneof(
            value(1),
            fc.array(value(depth - 1), { maxLength: 3 }),
            fc.dictionary(fc.string(), value(depth - 1), { maxKeys: 3 }),
          ),
    );
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), value(4), { maxKeys: 5 }), async (attributes) => {
        const inner = new ReferencePlugin({});
        const plugin = redact(inner, { patterns: [/s3cret/] });
        plugin.endSpan(plugin.startSpan({ name: 'span', attributes }));
        await plugin.flush();
        const values = (node: unknown): string[] =>
          typeof node === 'string'
            ? [node]
            : node && typeof node === 'object'
              ? Object.values(node).flatMap(values)
              : [];
        for (const text of values(inner.delivered[0]!.attributes)) assert.ok(!text.includes('s3cret'));
      }),
      { numRuns: 200 },
    );
  });
});

describe('the ready-made rules', () => {
  test('headers and fields that carry credentials', async () => {
    const keys = [
      'http.request.header.authorization',
      'http.request.header.proxy-authorization',
      'http.request.header.cookie',
      'http.response.header.set-cookie',
      'http.request.header.x-api-key',
      'db.user.password',
      'client_secret',
      'access_token',
      'card_number',
      'X-CSRF-Token',
    ];
    const result = await redacted(secretRules, Object.fromEntries(keys.map((key) => [key, 'value'])));
    for (const key of keys) assert.equal(result[key], '[redacted]', key);
  });

  test('ordinary attributes stay', async () => {
    const attributes = {
      'http.request.method': 'GET',
      'url.full': 'http://shop.example/cart?page=2&sort=name',
      'gen_ai.usage.input_tokens': 12,
      'server.address': 'tokenizer.example',
      'db.query.text': 'SELECT * FROM users WHERE name = $1',
      'process.pid': 4242,
      timestamp: 1_732_118_400_000,
      nanos: '1732118400000000000',
      order: '2024-11-20 16:00:00.123',
      id: 'b7ad6b71-6920-3331-8448-eb211c80319c',
      phone: '+49 30 1234567',
    };
    assert.deepEqual(await redacted(secretRules, attributes), attributes);
  });

  for (const [text, expected] of [
    ['Authorization: Bearer mF_9.B5f-4.1JqM', 'Authorization: Bearer [redacted]'],
    ['got basic dXNlcjpwYXNz==', 'got basic [redacted]'],
    ['https://a.example/?q=1&access_token=abc.def&x=2', 'https://a.example/?q=1&access_token=[redacted]&x=2'],
    ['postgres://app:hunter2@db.example:5432/shop', 'postgres://app:[redacted]@db.example:5432/shop'],
    ['Server=db;User=sa;Password=hunter2;Timeout=5', 'Server=db;User=sa;Password=[redacted];Timeout=5'],
    ['key AKIAIOSFODNN7EXAMPLE', 'key [redacted]'],
    [`eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${'a'.repeat(43)}`, '[redacted]'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x', '[redacted] x'],
    ['-----BEGIN PRIVATE KEY-----\nMIIE cut', '[redacted]'],
    ['paid with 4111 1111 1111 1111 today', 'paid with [redacted] today'],
    ['paid with 4111-1111-1111-1111', 'paid with [redacted]'],
    ['paid with 4111 1111 1111 1112', 'paid with 4111 1111 1111 1112'],
  ] as const) {
    test(`${JSON.stringify(text.slice(0, 40))} becomes ${JSON.stringify(expected.slice(0, 40))}`, async () => {
      assert.equal(await cleaned(text), expected);
    });
  }

  test('a card as a number', async () => {
    assert.equal((await redacted(secretRules, { n: 4_111_111_111_111_111 })).n, '[redacted]');
  });

  test('no pattern takes long on the longest value, whatever it holds', () => {
    const plugin = redact(new ReferencePlugin({}), secretRules);
    const span = plugin.startSpan({ name: 'span' });
    const pieces = [
      'a',
      ':',
      '://',
      '1',
      '1 ',
      '4-',
      'eyJ',
      'eyJaaaa.',
      'Bearer ',
      'password=',
      '?key=',
      '-----BEGIN PRIVATE KEY-----',
      '-----BEGIN ',
      ' ',
      '@',
      'a:',
      '://:',
      'xoxb-',
      '\\',
    ];
    for (const piece of pieces) {
      for (const other of ['', ...pieces]) {
        const text = (piece + other).repeat(16_384).slice(0, 16_384);
        // Not the time on the wall: other tests run at the same time.
        const began = process.cpuUsage();
        plugin.setAttribute(span, 'text', text);
        const { user, system } = process.cpuUsage(began);
        const took = (user + system) / 1000;
        assert.ok(took < 60, `${JSON.stringify(piece + other)} repeated took ${took} ms`);
      }
    }
  });
});
