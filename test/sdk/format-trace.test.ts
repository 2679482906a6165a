import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import { formatTrace } from '@tracewell/sdk';
import fc from 'fast-check';
import { formatDuration } from '../../packages/sdk/src/console/duration.ts';
import {
  columnsOf,
  fitText,
  printable,
  textWidth,
  wantsColors,
} from '../../packages/sdk/src/console/terminal.ts';
import { checkout, TraceBuilder } from './support/span-data.ts';

const plain = (spans: readonly SpanData[], width = 80): string =>
  formatTrace(spans, { width, colors: false });
const failed = { code: StatusCode.ERROR, message: 'it broke' };

describe('a trace as a tree', () => {
  test('looks like this in 80 columns', () => {
    assert.equal(
      plain(checkout()),
      `\
trace 4bf92f3577b34da6a3ce929d0e0e4736
1.24 s · 22 spans · 3 services · 3 errors
✗ POST /checkout                  gateway    1.24 s  ━━━━━━━━━━━━━━━━━━━━━━━━━━━
│ http.response.status_code=502  user.id=u-1042
├─ GET /cart/42                   gateway    130 ms  ━━━
│  └─ GET /cart/:id               cart       118 ms  ━━━
│     ├─ SELECT shop              cart      30.0 ms  ╺
│     │    db.query.text=SELECT * FROM cart_items WHERE cart_id = $1
│     └─ 14 × SELECT product      cart      58.8 ms   ╍╸
└─ ✗ POST                         gateway    1.09 s     ━━━━━━━━━━━━━━━━━━━━━━━━
   └─ ✗ POST /charge              payments   1.07 s     ━━━━━━━━━━━━━━━━━━━━━━━╸
      │ CardError: card declined  at charge (payments.ts:41:9)
      │ • retry after 754 ms  attempt=2
      │ http.response.status_code=402
      ├─ verify 顧客 🔒 identity  payments   300 ms     ╺━━━━━━
      └─ audit                    payments  4.00 ms                            ╺
           unfinished: it was open when the recording ended`,
    );
  });

  test('a narrow terminal keeps the names, and goes without the bars', () => {
    assert.deepEqual(plain(checkout(), 50).split('\n').slice(2, 8), [
      '✗ POST /checkout                 gateway    1.24 s',
      '│ http.response.status_code=502  user.id=u-1042',
      '├─ GET /cart/42                  gateway    130 ms',
      '│  └─ GET /cart/:id              cart       118 ms',
      '│     ├─ SELECT shop             cart      30.0 ms',
      '│     │    db.query.text=SELECT * FROM cart_items…',
    ]);
    assert.ok(plain(checkout(), 40).includes('└─ ✗ POST /charge   payments   1.07 s\n'));
    assert.doesNotMatch(plain(checkout(), 60), /[━╸╺╍]/);
    assert.match(plain(checkout(), 66), /━{8}/);
  });

  test('a long service is shown whole where there is room', () => {
    const trace = new TraceBuilder();
    trace.span('unknown_service:node', 'a', '', 0, 1);
    assert.match(plain(trace.spans), /^a {2}unknown_service:node {2}1\.00 ms {2}━+$/m);
    trace.span('s', 'SELECT products by category', '', 0, 1);
    assert.match(plain(trace.spans), / {2}unknown_service… {2}1\.00 ms {2}━+$/m);
  });

  test('however deep a span is, half of the column is for its name', () => {
    const trace = new TraceBuilder();
    let parent = '';
    for (let depth = 0; depth < 40; depth++) {
      parent = trace.span('s', `SELECT stock ${depth}`, parent, 0, 1, depth === 39 ? { status: failed } : {});
    }
    const lines = plain(trace.spans, 50).split('\n');
    assert.match(lines.at(-3)!, /^ +… SELECT stock 38 +s +1\.00 ms$/);
    assert.match(lines.at(-2)!, /^ +… ✗ SELECT stock 39 +s +1\.00 ms$/);
    assert.match(lines.at(-1)!, /^ +it broke$/);
  });

  test('a span whose parent is not there says so, and a true root does not', () => {
    const [root, ...others] = checkout();
    assert.doesNotMatch(plain([root!, ...others]), /not among/);
    const lines = plain(others).split('\n');
    assert.match(lines[2]!, /^GET \/cart\/42 /);
    assert.equal(lines[3], `│ parent not among these spans: ${root!.spanId}`);
    const colored = formatTrace(others, { width: 80, colors: true });
    assert.ok(colored.includes('\u001b[33mparent not among these spans: '));
  });

  test('parents that are not there: of spans alike, in a circle, and hostile ones', () => {
    const alike = new TraceBuilder();
    for (let index = 0; index < 6; index++) alike.span('s', 'query', 'f'.repeat(16), index, 1);
    assert.deepEqual(plain(alike.spans).split('\n').slice(2), ['  parents not among these spans']);

    const circle = new TraceBuilder();
    circle.span('s', 'a', '0000000000000002', 0, 1);
    circle.span('s', 'b', '0000000000000001', 0, 1);
    assert.doesNotMatch(plain(circle.spans), /not among/);

    const hostile = new TraceBuilder();
    hostile.span('s', 'a', '\u001b[2Jx', 0, 1);
    assert.match(plain(hostile.spans), /spans: x$/);
  });

  test('what is no array of spans is refused by name', () => {
    for (const wrong of [5, null, undefined, 'spans', { spans: [] }] as unknown as SpanData[][]) {
      assert.throws(
        () => formatTrace(wrong),
        /^TypeError: formatTrace: spans must be an array of SpanData, got /,
      );
    }
  });

  test('colours say what is an error, what is unfinished, and which service it was; nothing else changes', () => {
    const colored = formatTrace(checkout(), { width: 80, colors: true });
    assert.equal(stripVTControlCharacters(colored), plain(checkout()));
    assert.ok(colored.includes('\u001b[31m✗ POST /checkout'));
    assert.ok(colored.includes('\u001b[33munfinished: '));
    const services = ['gateway', 'cart', 'payments'].map(
      (name) => new RegExp(`\u001b\\[(\\d+)m${name} *\\u001b`).exec(colored)?.[1],
    );
    assert.equal(new Set(services).size, 3);
    assert.ok(services.every((color) => color !== undefined && color !== '31' && color !== '33'));
  });

  test('never exceeds its width, whatever is in the spans', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('顧客🔒', 'x'.repeat(300), '\u001b[31m'),
    );
    const span = fc.record({
      service: text,
      name: text,
      parent: fc.nat(30),
      at: fc.nat(1000),
      took: fc.nat(1000),
      text,
    });
    fc.assert(
      fc.property(
        fc.array(span, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 40, max: 150 }),
        (spans, width) => {
          const trace = new TraceBuilder();
          const ids = [''];
          for (const { service, name, parent, at, took, text } of spans) {
            const status = took % 2 === 0 ? failed : { code: StatusCode.UNSET, message: text };
            const attributes = { 'db.query.text': text, 'tracewell.unfinished': took % 3 === 0 };
            ids.push(trace.span(service, name, ids[parent % ids.length]!, at, took, { status, attributes }));
          }
          for (const line of plain(trace.spans, width).split('\n')) {
            assert.ok(textWidth(line) <= width, `${textWidth(line)} of ${width}: ${JSON.stringify(line)}`);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a deep trace, a wide one, and one with clocks that disagree', () => {
    const deep = new TraceBuilder();
    let parent = '';
    for (let depth = 0; depth < 200; depth++)
      parent = deep.span('s', `depth ${depth}`, parent, depth, 400 - depth);
    assert.equal(plain(deep.spans).split('\n').length, 201);

    const wide = new TraceBuilder();
    const root = wide.span('s', 'root', '', 0, 10);
    for (let index = 0; index < 5000; index++) wide.span('s', `child ${index}`, root, index / 1000, 1);
    const lines = plain(wide.spans).split('\n');
    assert.equal(lines.length, 502);
    assert.equal(lines.at(-1), '… and 4,501 more spans');

    const skewed = new TraceBuilder();
    const request = skewed.span('a', 'request', '', 0, 10);
    skewed.span('b', 'on a machine that is late', request, -500, 5);
    skewed.span('c', 'ends before it starts', request, 5, -3);
    assert.match(plain(skewed.spans), /ends before it starts +c +-3\.00 ms/);
  });

  test('neighbours alike become one line, unless one of them failed', () => {
    const trace = new TraceBuilder();
    const root = trace.span('s', 'root', '', 0, 100);
    for (let index = 0; index < 12; index++) {
      trace.span('s', 'query', root, index, 1, index === 6 ? { status: failed } : {});
    }
    const lines = plain(trace.spans).split('\n');
    assert.match(lines[2]!, /^├─ 6 × query .* 6\.00 ms/);
    assert.match(lines[3]!, /^├─ ✗ query/);
    assert.match(lines[4]!, /it broke/);
    assert.match(lines[5]!, /^└─ 5 × query/);
    const all = formatTrace(trace.spans, { width: 80, colors: false, alike: Number.POSITIVE_INFINITY });
    assert.equal(all.split('\n').length, 15);
  });

  test('attributes: the notable ones, all, or none', () => {
    const trace = new TraceBuilder();
    trace.span('s', 'GET /a', '', 0, 1, {
      attributes: {
        'url.path': '/a',
        'url.query': 'b=c',
        'http.response.status_code': 200,
        other: [1, { x: 'y' }],
      },
    });
    const below = (attributes: 'notable' | 'all' | 'none'): string | undefined =>
      formatTrace(trace.spans, { width: 120, colors: false, attributes }).split('\n')[2];
    assert.equal(below('notable'), '  url.query=b=c');
    assert.equal(
      below('all'),
      '  url.path=/a  url.query=b=c  http.response.status_code=200  other=[1, {x=y}]',
    );
    assert.equal(below('none'), undefined);
  });

  test('a request that nobody named but by its method has its path beside it', () => {
    const trace = new TraceBuilder();
    const full = 'http://127.0.0.1:4010/orders?key=1';
    const root = trace.span('s', 'POST', '', 0, 9, {
      attributes: { 'http.request.method': 'POST', 'url.path': '/orders', 'url.query': 'key=1' },
    });
    trace.span('s', 'GET', root, 1, 1, { attributes: { 'url.full': full, 'server.address': '127.0.0.1' } });
    trace.span('s', 'PURGE', root, 2, 1, {
      attributes: { 'http.request.method': 'PURGE', 'url.path': '/a\u001b[2J' },
    });
    trace.span('s', 'GET', root, 3, 1, { attributes: { 'url.full': 'no url' } });
    trace.span('s', 'POST /a', root, 4, 1, { attributes: { 'url.path': '/a/b' } });
    trace.span('s', 'GET', root, 5, 1, { attributes: { 'url.path': `/${'long/'.repeat(20)}` } });
    const lines = plain(trace.spans).split('\n').slice(1);
    assert.deepEqual(
      lines.map((line) => line.replace(/ +s +\d.*/, '')),
      [
        'POST /orders',
        '│ url.query=key=1',
        '├─ GET /orders',
        '│    server.address=127.0.0.1',
        '├─ PURGE /a',
        '├─ GET',
        '│    url.full=no url',
        '├─ POST /a',
        '│    url.path=/a/b',
        '└─ GET /long/long/long/long/l…',
        `     url.path=/${'long/'.repeat(20)}`.slice(0, 79).concat('…'),
      ],
    );
    const colored = formatTrace(trace.spans, { width: 80, colors: true });
    assert.ok(colored.includes('GET\u001b[2m /orders\u001b[22m'));
  });

  test('requests alike become one line, with their path if it is the same', () => {
    const requests = (path: (index: number) => string): string => {
      const trace = new TraceBuilder();
      const root = trace.span('s', 'root', '', 0, 9);
      for (let index = 0; index < 6; index++) {
        trace.span('s', 'GET', root, index, 1, { attributes: { 'url.path': path(index) } });
      }
      return plain(trace.spans);
    };
    assert.match(
      requests(() => '/stock'),
      /6 × GET \/stock +s/,
    );
    assert.match(
      requests((index) => `/stock/${index}`),
      /6 × GET +s/,
    );
  });

  test('what goes without saying is not said: success, the address of a server, a status twice', () => {
    const trace = new TraceBuilder();
    const attributes = {
      'http.response.status_code': 502,
      'error.type': '502',
      'server.address': 'shop.example',
    };
    const root = trace.span('s', 'POST /a', '', 0, 9, { kind: SpanKind.SERVER, attributes });
    const ok = { ...attributes, 'http.response.status_code': 204 };
    trace.span('s', 'call', root, 1, 1, { kind: SpanKind.CLIENT, attributes: ok });
    const lines = plain(trace.spans).split('\n');
    assert.equal(lines[2], '│ http.response.status_code=502');
    assert.equal(lines[4], '     error.type=502  server.address=shop.example');
  });

  test('several traces one after another, and nothing for nothing', () => {
    const first = new TraceBuilder('a'.repeat(32));
    first.span('s', 'first', '', 0, 1);
    const second = new TraceBuilder('b'.repeat(32));
    second.span('s', 'second', '', 0, 1);
    const text = plain([...first.spans, ...second.spans]);
    assert.match(text, /first.*\n\ntrace bbb[\s\S]*second/);
    assert.equal(plain([]), '');
  });

  test('a terminal cannot be steered by what was recorded', () => {
    const trace = new TraceBuilder();
    trace.span('s\u001b]0;title\u0007', 'GET \u001b[2J\u202e/evil\n\r', '', 0, 1, {
      status: { code: StatusCode.ERROR, message: 'a\u0007\u009b31mb' },
      attributes: { 'url.path': '/\u001b[5m' },
    });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be left.
    assert.doesNotMatch(plain(trace.spans), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });
});

describe('durations', () => {
  for (const [nanos, text] of [
    [0n, '0 ns'],
    [999n, '999 ns'],
    [1_000n, '1.00 µs'],
    [9_994n, '9.99 µs'],
    [9_996n, '10.0 µs'],
    [999_499n, '999 µs'],
    [999_500n, '1.00 ms'],
    [12_345_678n, '12.3 ms'],
    [999_600_000n, '1.00 s'],
    [59_949_000_000n, '59.9 s'],
    [59_960_000_000n, '1 min 00 s'],
    [125_000_000_000n, '2 min 05 s'],
    [3_599_900_000_000n, '1 h 00 min'],
    [11_220_000_000_000n, '3 h 07 min'],
    [-5_000_000n, '-5.00 ms'],
  ] as const) {
    test(`${nanos} ns are ${text}`, () => assert.equal(formatDuration(nanos), text));
  }
});

describe('the terminal', () => {
  test('colours only where they are wanted', () => {
    const terminal = { isTTY: true };
    assert.equal(wantsColors(terminal, {}), true);
    assert.equal(wantsColors({}, {}), false);
    assert.equal(wantsColors(terminal, { NO_COLOR: '1' }), false);
    assert.equal(wantsColors(terminal, { NO_COLOR: '' }), true);
    assert.equal(wantsColors(terminal, { TERM: 'dumb' }), false);
    assert.equal(wantsColors({}, { FORCE_COLOR: '1' }), true);
    assert.equal(wantsColors({}, { FORCE_COLOR: '', NO_COLOR: '1' }), true);
    assert.equal(wantsColors(terminal, { FORCE_COLOR: '0' }), false);
  });

  test('as wide as the terminal, else as COLUMNS says, else 100', () => {
    assert.equal(columnsOf({ columns: 77 }, { COLUMNS: '50' }), 77);
    assert.equal(columnsOf({}, { COLUMNS: '50' }), 50);
    assert.equal(columnsOf({}, { COLUMNS: 'many' }), 100);
  });

  test('text is cut by the columns that it takes', () => {
    assert.equal(fitText('顧客データ', 6), '顧客…');
    assert.equal(textWidth('👩‍👩‍👧 é'), 4);
    assert.equal(fitText('abc', 3), 'abc');
    assert.equal(fitText('abcd', 3), 'ab…');
    assert.equal(fitText('x'.repeat(10_000_000), 3), 'xx…');
    assert.equal(printable('a\tb\u0000'), 'a b\ufffd');
  });
});
