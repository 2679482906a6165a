import { TracewellError } from '@tracewell/plugin';
import { wordsIn } from './words.ts';

/**
 * What is looked for, as a tree.
 *
 * ```
 * query   = all { "OR" all }
 * all     = one { [ "AND" ] [ "NOT" ] one }
 * one     = "(" query ")" | phrase | word
 * phrase  = '"' any characters but '"' '"' [ "*" ]
 * word    = characters but space, '"', '(' and ')' [ "*" ]
 * ```
 *
 * Words stand for texts that contain them, whatever their case. Several words one after the other must all be there;
 * `AND` may be written. A word of several words (`user_id`) is a phrase, and a phrase is its words next to each
 * other. A star means that the last word may go on. `NOT` takes away from what stands before it. `AND`, `OR` and
 * `NOT` are operators in capitals only.
 */
export type TextQuery =
  | { readonly kind: 'phrase'; readonly words: readonly string[]; readonly prefix: boolean }
  | { readonly kind: 'and' | 'or' | 'not'; readonly left: TextQuery; readonly right: TextQuery };

/** A search whose text makes no sense. Code `TW_SEARCH_SYNTAX`. */
export class SearchSyntaxError extends TracewellError {
  override readonly name = 'SearchSyntaxError';
  /** Where it stopped making sense: characters before that place. */
  readonly position: number;

  constructor(position: number, problem: string) {
    super('TW_SEARCH_SYNTAX', `text: ${problem} (position ${position})`);
    this.position = position;
  }
}

/** Characters of a search at most. */
export const MAX_TEXT_LENGTH = 2000;
/** Words and phrases at most. */
const MAX_TERMS = 100;
/** Parentheses within one another at most. */
const MAX_DEPTH = 50;

/**
 * Parses a search.
 *
 * @throws {@link SearchSyntaxError} with the position, for bad syntax or a search that is too large
 */
export function parseTextQuery(text: string): TextQuery {
  if (text.length > MAX_TEXT_LENGTH) {
    throw new SearchSyntaxError(MAX_TEXT_LENGTH, `more than ${MAX_TEXT_LENGTH} characters; look for less`);
  }
  return new Parser(text).parse();
}

interface Token {
  readonly kind: 'word' | 'phrase' | '(' | ')' | 'AND' | 'OR' | 'NOT' | 'end';
  readonly text: string;
  readonly prefix: boolean;
  readonly at: number;
}

const OPERATORS: ReadonlySet<string> = new Set(['AND', 'OR', 'NOT']);

class Parser {
  readonly #tokens: Token[];
  #next = 0;
  #terms = 0;

  constructor(text: string) {
    this.#tokens = [...tokensIn(text)];
  }

  parse(): TextQuery {
    const query = this.#query(0);
    const { kind, at } = this.#token;
    if (kind === ')') throw new SearchSyntaxError(at, ') without a ( before it');
    return query;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #query(depth: number): TextQuery {
    let left = this.#all(depth);
    while (this.#token.kind === 'OR') {
      this.#next++;
      left = { kind: 'or', left, right: this.#all(depth) };
    }
    return left;
  }

  #all(depth: number): TextQuery {
    let left = this.#one(depth);
    for (;;) {
      let { kind } = this.#token;
      if (kind === 'OR' || kind === ')' || kind === 'end') return left;
      if (kind === 'AND') {
        this.#next++;
        kind = this.#token.kind;
      }
      const not = kind === 'NOT';
      if (not) this.#next++;
      left = { kind: not ? 'not' : 'and', left, right: this.#one(depth) };
    }
  }

  #one(depth: number): TextQuery {
    const token = this.#token;
    const { kind, at } = token;
    switch (kind) {
      case '(': {
        if (depth === MAX_DEPTH) throw new SearchSyntaxError(at, `more than ${MAX_DEPTH} parentheses deep`);
        this.#next++;
        const query = this.#query(depth + 1);
        if (this.#token.kind !== ')') throw new SearchSyntaxError(at, '( without a ) behind it');
        this.#next++;
        return query;
      }
      case 'word':
      case 'phrase':
        this.#next++;
        return this.#phrase(token);
      case 'NOT':
        throw new SearchSyntaxError(at, 'NOT takes away from what stands before it, and nothing does');
      case 'end':
        throw new SearchSyntaxError(at, 'a word or a phrase is missing at the end');
      default:
        throw new SearchSyntaxError(at, `a word or a phrase is missing before ${kind}`);
    }
  }

  #phrase({ text, prefix, at }: Token): TextQuery {
    if (++this.#terms > MAX_TERMS)
      throw new SearchSyntaxError(at, `more than ${MAX_TERMS} words and phrases`);
    const words = Array.from(wordsIn(text), ({ word }) => word);
    if (words.length === 0) {
      throw new SearchSyntaxError(at, `${JSON.stringify(text)} has no letter and no digit to look for`);
    }
    return { kind: 'phrase', words, prefix };
  }
}

function* tokensIn(text: string): Generator<Token> {
  let at = 0;
  while (at < text.length) {
    const character = text[at]!;
    if (/\s/.test(character)) {
      at++;
    } else if (character === '(' || character === ')') {
      yield { kind: character, text: character, prefix: false, at };
      at++;
    } else if (character === '"') {
      const end = text.indexOf('"', at + 1);
      if (end === -1) throw new SearchSyntaxError(at, 'a phrase begins and does not end: a " is missing');
      const prefix = text[end + 1] === '*';
      yield { kind: 'phrase', text: text.slice(at + 1, end), prefix, at };
      at = end + (prefix ? 2 : 1);
    } else {
      const run = /^[^\s"()]+/.exec(text.slice(at))![0];
      if (OPERATORS.has(run)) yield { kind: run as 'AND' | 'OR' | 'NOT', text: run, prefix: false, at };
      else yield { kind: 'word', text: run.replace(/\*+$/, ''), prefix: run.endsWith('*'), at };
      at += run.length;
    }
  }
  yield { kind: 'end', text: '', prefix: false, at };
}
