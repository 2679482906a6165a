import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SearchSyntaxError } from '@tracewell/store';
import fc from 'fast-check';
import { matchTexts } from '../../../packages/store/src/search/match-text.ts';
import { parseTextQuery, type TextQuery } from '../../../packages/store/src/search/text-query.ts';
import { indexable, wordsIn } from '../../../packages/store/src/search/words.ts';

/** A search in full parentheses. */
function shape(query: TextQuery): string {
  if (query.kind === 'phrase') return `${query.words.join('+')}${query.prefix ? '*' : ''}`;
  return `(${shape(query.left)} ${query.kind} ${shape(query.right)})`;
}

for (const [text, expected] of [
  ['a', 'a'],
  ['a b', '(a and b)'],
  ['a AND b', '(a and b)'],
  ['a and b', '((a and and) and b)'],
  ['a b OR c d', '((a and b) or (c and d))'],
  ['a (b OR c) d', '((a and (b or c)) and d)'],
  ['a NOT b NOT c', '((a not b) not c)'],
  ['a AND NOT b', '(a not b)'],
  ['"connection refused" pool*', '(connection+refused and pool*)'],
  ['"connection ref"*', 'connection+ref*'],
  ['user_id', 'user+id'],
  ['java.io.IOException', 'java+io+ioexception'],
  ['ÜBER straße', '(uber and straße)'],
  ["it's", 'it+s'],
  ['a"b"c', '((a and b) and c)'],
  ['((a))', 'a'],
] as const) {
  test(`${text} means ${expected}`, () => assert.equal(shape(parseTextQuery(text)), expected));
}

for (const [text, position, problem] of [
  ['', 0, 'missing at the end'],
  ['   ', 3, 'missing at the end'],
  ['a AND', 5, 'missing at the end'],
  ['a OR', 4, 'missing at the end'],
  ['OR a', 0, 'missing before OR'],
  ['a AND AND b', 6, 'missing before AND'],
  ['a OR OR b', 5, 'missing before OR'],
  ['NOT a', 0, 'nothing does'],
  ['a OR NOT b', 5, 'nothing does'],
  ['a NOT NOT b', 6, 'nothing does'],
  ['(a', 0, 'without a \\)'],
  ['a)', 1, '\\) without a \\('],
  ['()', 1, 'missing before \\)'],
  ['a "b', 2, 'a phrase begins'],
  ['a ""', 2, 'has no letter'],
  ['a --- b', 2, 'has no letter'],
  ['*', 0, 'has no letter'],
  ['a;DROP TABLE x;-- \0', 18, 'has no letter'],
  [`${'('.repeat(51)}a${')'.repeat(51)}`, 50, 'parentheses deep'],
  ['a '.repeat(101), 200, 'more than 100 words'],
  ['a'.repeat(2001), 2000, 'more than 2000 characters'],
] as const) {
  test(`F49 ${JSON.stringify(text.slice(0, 30))} is refused at ${position}`, () => {
    assert.throws(
      () => parseTextQuery(text),
      (error) => {
        assert.ok(error instanceof SearchSyntaxError);
        assert.equal(error.code, 'TW_SEARCH_SYNTAX');
        assert.equal(error.position, position);
        assert.match(error.message, new RegExp(problem));
        return true;
      },
    );
  });
}

test('F49 whatever is asked either means something or is refused with its position', () => {
  const pieces = fc.constantFrom(
    'a',
    'b*',
    '"',
    '""',
    '(',
    ')',
    ' ',
    'AND',
    'OR',
    'NOT',
    '*',
    '-',
    ':',
    '^',
    '{',
    '+',
    '\\',
    '\0',
    'é',
    'NEAR(',
    'text:',
    "'",
    '\ud800',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(pieces, { maxLength: 12 }).map((some) => some.join('')),
      ),
      (text) => {
        try {
          shape(parseTextQuery(text));
        } catch (error) {
          if (!(error instanceof SearchSyntaxError)) throw error;
          assert.ok(error.position >= 0 && error.position <= text.length);
        }
      },
    ),
    { numRuns: 2000 },
  );
});

test('a match tells where: field, surroundings, what matched', () => {
  const texts = [
    { field: 'exception.message', text: 'nothing here' },
    {
      field: 'exception.stacktrace',
      text: `${'frame '.repeat(50)}at Pool.Connect (pool.js:7) after Connection refused ${'x '.repeat(200)}`,
    },
  ];
  const match = matchTexts(parseTextQuery('"connection refused" OR pool*'), texts)!;
  assert.equal(match.field, 'exception.stacktrace');
  assert.ok(match.snippet.length < 220);
  assert.ok(match.snippet.startsWith('…') && match.snippet.endsWith('…'));
  assert.deepEqual(
    match.highlights.map(([start, end]) => match.snippet.slice(start, end)),
    ['Pool', 'pool', 'Connection refused'],
  );
});

for (const [search, text, expected] of [
  ['refused', 'Connection REFUSED', true],
  ['refuse', 'Connection refused', false],
  ['refuse*', 'Connection refused', true],
  ['"connection refused"', 'refused connection', false],
  ['"connection ref"*', 'connection refused', true],
  ['cafe', 'Café', true],
  ['naïve', 'naive', true],
  ['a NOT b', 'a b', false],
  ['a NOT b', 'a c', true],
  ['a OR b', 'b', true],
  ['user_id', 'the user id', true],
  ['user_id', 'the id user', false],
] as const) {
  test(`${search} ${expected ? 'matches' : 'does not match'} ${text}`, () => {
    assert.equal(matchTexts(parseTextQuery(search), [{ field: 'f', text }]) !== undefined, expected);
  });
}

test('a phrase does not reach from one text into the next, words may stand in several', () => {
  const texts = [
    { field: 'a', text: 'connection' },
    { field: 'b', text: 'refused' },
  ];
  assert.equal(matchTexts(parseTextQuery('"connection refused"'), texts), undefined);
  assert.ok(matchTexts(parseTextQuery('connection refused'), texts));
});

test('what the index gets has the words that the text has, to a tokenizer that knows only ASCII', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(text, (some) => {
      const words = Array.from(wordsIn(some), ({ word }) => word);
      const indexed = [...indexable(some).matchAll(/[A-Za-z0-9\u0080-\u{10ffff}]+/gu)].map(([word]) =>
        word.toLowerCase(),
      );
      assert.deepEqual(
        indexed.map((word) => word.toLowerCase()),
        words.map((word) => word.toLowerCase()),
      );
    }),
    { numRuns: 2000 },
  );
});
