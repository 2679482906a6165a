import { stripVTControlCharacters } from 'node:util';

/** Where text for a person goes: `process.stdout` and `process.stderr` are such, and any other stream. */
export interface TextStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Columns where nobody says how many there are. */
const DEFAULT_COLUMNS = 100;

/**
 * Whether to colour what goes to a stream: on a terminal, unless `NO_COLOR` is set or it is a dumb one; anywhere,
 * if `FORCE_COLOR` is set, which comes first, and not to `0` or `false`.
 *
 * @see https://no-color.org
 * @see https://nodejs.org/api/tty.html#writestreamgetcolordepthenv
 */
export function wantsColors(
  stream: TextStream,
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  const force = env.FORCE_COLOR;
  if (force !== undefined) return force !== '0' && force !== 'false';
  if (env.NO_COLOR) return false;
  return stream.isTTY === true && env.TERM !== 'dumb';
}

/** How many columns a stream has: the terminal's, or what `COLUMNS` says, or 100. */
export function columnsOf(
  stream: TextStream,
  env: Readonly<Record<string, string | undefined>> = process.env,
): number {
  const stated = Number(env.COLUMNS);
  return stream.columns || (Number.isInteger(stated) && stated > 0 ? stated : DEFAULT_COLUMNS);
}

// What a terminal obeys (C0 and C1 controls), what turns the direction of the text around it, and line ends.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Makes recorded text safe to print on one line. Names and messages come from requests, and a terminal would obey
 * the control sequences in them.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(UNSAFE, (character) =>
    character === '\n' || character === '\r' || character === '\t' ? ' ' : '\ufffd',
  );
}

let segmenter: Intl.Segmenter | undefined;

/** The characters of a text as a person sees them. Made on first use: it takes 8 ms, and most programs print nothing. */
function graphemes(text: string): Iterable<Intl.SegmentData> {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII.
const ASCII = /^[\u0000-\u007f]*$/;
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;

/** The columns that text without control characters takes on a terminal. */
export function textWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/** Cuts text to at most `width` columns, ending in `…` where something is missing. */
export function fitText(text: string, width: number): string {
  // No character takes less than nothing and few graphemes are long: what cannot fit is not even looked at.
  const near = text.length > width * 16 + 64 ? text.slice(0, width * 16 + 64) : text;
  if (near === text && textWidth(text) <= width) return text;
  let fitted = '';
  let left = width - 1;
  for (const { segment } of graphemes(near)) {
    left -= textWidth(segment);
    if (left < 0) break;
    fitted += segment;
  }
  return width > 0 ? `${fitted}…` : '';
}

/** Fills text up to `width` columns. */
export function padText(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}
