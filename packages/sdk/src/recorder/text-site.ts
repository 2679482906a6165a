import { writeString } from '@tracewell/otlp/wire';
import * as arena from './arena.ts';
import { COPY_SLACK } from './memory.ts';
import { unsliced } from './text.ts';

const { ARENA } = arena;

/** With the longest cached key and two tags still less than 128 bytes, so that each length takes one. */
const MAX_BYTES = 48;
const FIRST_CREDIT = 8;
const MAX_CREDIT = 64;
/** A site without credit is tried again after so many texts. */
const PAUSE = 1024;

/**
 * A place where texts come from, such as the values of one attribute key or the names of spans, with the text
 * that came last and its encoding. Most places yield the same text most of the time: a method, a host, a
 * name. Copying that costs 3 ns, encoding it anew 2 ns for every character.
 *
 * Where texts rarely repeat, keeping each would cost more than it gains, so a site saves up credit with every
 * hit and spends it with every miss, and without credit only encodes for a while.
 */
export class TextSite {
  /** Where in the arena the encoding of the text stands that came last: its length in a byte, then UTF-8. */
  readonly at: number;
  #text: string | undefined = undefined;
  #credit = FIRST_CREDIT;

  /** @param at - where {@link TEXT_SITE_BYTES} of the arena are free for the encoding */
  constructor(at: number) {
    this.at = at;
  }

  /** Whether the encoding in the arena is that of this text. */
  holds(text: string): boolean {
    if (this.#text === text) {
      if (this.#credit < MAX_CREDIT) this.#credit++;
      return true;
    }
    return this.#credit > 0 ? this.#keep(text) : this.#pause();
  }

  #keep(text: string): boolean {
    this.#credit--;
    if (text.length > MAX_BYTES) return false;
    this.#text = undefined;
    const end = writeString(ARENA.bytes, this.at, text);
    if (end - this.at > 1 + MAX_BYTES) return false;
    this.#text = unsliced(text);
    return true;
  }

  #pause(): false {
    this.#credit = this.#credit === -PAUSE ? FIRST_CREDIT : this.#credit - 1;
    return false;
  }
}

/** Bytes that a {@link TextSite} needs, less than TEXT_ENTRY_BYTES: a text of three bytes for each unit is found too long only afterwards. */
export const TEXT_SITE_BYTES: number = 3 * MAX_BYTES + 8 + COPY_SLACK;
