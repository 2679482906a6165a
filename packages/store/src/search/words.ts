/**
 * What a word is: a run of letters, digits and private-use characters, in lower case, without diacritics. Everything
 * else separates words, so `user_id`, `java.io.IOException` and `/api/users/42` are several words each, found as a
 * phrase.
 *
 * This file alone decides. The index uses SQLite's tokenizer `ascii`, which knows the letters and digits of ASCII and
 * takes whatever is not ASCII for a part of a word; so it is given ASCII texts as they are, and of other texts the
 * words as they are found here.
 *
 * @see https://sqlite.org/fts5.html#ascii_tokenizer
 */

/** A word in a text. */
export interface Word {
  /** In lower case, without diacritics. */
  readonly word: string;
  /** Where it stands. */
  readonly start: number;
  readonly end: number;
}

const RUN = /[\p{L}\p{N}\p{Co}\p{M}]+/gu;
const ASCII = /^[\0-\x7f]*$/;
const ASCII_RUN = /[A-Za-z0-9]+/g;
const ASCII_WORD = /^[a-z0-9]*$/;
const MARKS = /\p{M}+/gu;

/** The words of a text, in their order. */
export function* wordsIn(text: string): Generator<Word> {
  if (ASCII.test(text)) {
    // As below, in a third of the time.
    for (const { 0: run, index } of text.matchAll(ASCII_RUN)) {
      yield { word: run.toLowerCase(), start: index, end: index + run.length };
    }
    return;
  }
  for (const { 0: run, index } of text.matchAll(RUN)) {
    const word = folded(run);
    if (word !== '') yield { word, start: index, end: index + run.length };
  }
}

/** A text as the index gets it: its tokenizer finds the words in it that {@link wordsIn} finds. */
export function indexable(text: string): string {
  return ASCII.test(text) ? text : Array.from(wordsIn(text), ({ word }) => word).join(' ');
}

/** A word as the index has it. */
export function folded(word: string): string {
  const lower = word.toLowerCase();
  return ASCII_WORD.test(lower) ? lower : lower.normalize('NFD').replace(MARKS, '').normalize('NFC');
}
