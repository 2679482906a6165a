import type { TextQuery } from './text-query.ts';
import { type Word, wordsIn } from './words.ts';

/** A text of a record, and where it stands in it. */
export interface RecordText {
  /** `body`, `status.message`, or the key of an attribute. */
  readonly field: string;
  readonly text: string;
}

/** What of a record matched a search. */
export interface TextMatch {
  /** Where the text stands: `body`, `status.message`, or the key of an attribute. */
  readonly field: string;
  /** The part of the text around what matched first, at most 200 characters or so. */
  readonly snippet: string;
  /** What matched in the snippet: each from its start to before its end, in characters. */
  readonly highlights: readonly (readonly [start: number, end: number])[];
}

interface Hit {
  readonly text: number;
  readonly start: number;
  readonly end: number;
}

/** Characters around the first hit. */
const BEFORE = 60;
const LENGTH = 200;

/**
 * Whether the texts of a record match a search, all together: `a AND b` may find each in another text, a phrase must
 * be in one.
 *
 * @returns where, or `undefined`
 */
export function matchTexts(query: TextQuery, texts: readonly RecordText[]): TextMatch | undefined {
  const words = texts.map(({ text }) => [...wordsIn(text)]);
  const hits: Hit[] = [];
  if (!matches(query, words, hits) || hits.length === 0) return undefined;
  const first = hits.reduce((a, b) => (b.text < a.text || (b.text === a.text && b.start < a.start) ? b : a));
  return matchAt(
    texts[first.text]!,
    first,
    hits.filter(({ text }) => text === first.text),
  );
}

/** Collects what matches, unless it is what `NOT` takes away. */
function matches(query: TextQuery, texts: readonly Word[][], hits: Hit[] | undefined): boolean {
  switch (query.kind) {
    case 'phrase':
      return findPhrase(query.words, query.prefix, texts, hits);
    case 'and':
      return matches(query.left, texts, hits) && matches(query.right, texts, hits);
    case 'or': {
      // Both, for the hits.
      const left = matches(query.left, texts, hits);
      return matches(query.right, texts, hits) || left;
    }
    case 'not':
      return matches(query.left, texts, hits) && !matches(query.right, texts, undefined);
  }
}

function findPhrase(
  phrase: readonly string[],
  prefix: boolean,
  texts: readonly Word[][],
  hits: Hit[] | undefined,
): boolean {
  let found = false;
  for (const [text, words] of texts.entries()) {
    for (let at = 0; at + phrase.length <= words.length; at++) {
      if (!standsAt(phrase, prefix, words, at)) continue;
      if (hits === undefined) return true;
      found = true;
      hits.push({ text, start: words[at]!.start, end: words[at + phrase.length - 1]!.end });
    }
  }
  return found;
}

function standsAt(phrase: readonly string[], prefix: boolean, words: readonly Word[], at: number): boolean {
  for (let index = 0; index < phrase.length; index++) {
    const { word } = words[at + index]!;
    const wanted = phrase[index]!;
    if (word === wanted) continue;
    if (prefix && index === phrase.length - 1 && word.startsWith(wanted)) continue;
    return false;
  }
  return true;
}

function matchAt({ field, text }: RecordText, first: Hit, hits: readonly Hit[]): TextMatch {
  const from = atWord(text, Math.max(0, first.start - BEFORE), first.start);
  const until = Math.max(first.end, Math.min(text.length, from + LENGTH));
  const start = from === 0 ? '' : '…';
  const end = until === text.length ? '' : '…';
  const shift = start.length - from;
  const highlights = hits
    .filter((hit) => hit.start >= from && hit.end <= until)
    .map((hit): [number, number] => [hit.start + shift, hit.end + shift])
    .sort(([a], [b]) => a - b);
  return { field, snippet: start + text.slice(from, until) + end, highlights };
}

/** The start of the next word from `from` on, but not behind `latest`. */
function atWord(text: string, from: number, latest: number): number {
  if (from === 0) return 0;
  const space = text.indexOf(' ', from);
  return space === -1 || space >= latest ? latest : space + 1;
}
