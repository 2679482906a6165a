// Turns what a terminal shows into a picture for the docs: reads text with colours from standard input, writes
// an SVG to standard output.  FORCE_COLOR=1 npm run --silent demo | node scripts/picture.ts 'The demo' > docs/demo.svg
import { text } from 'node:stream/consumers';

const palette = ['#1b1f24', '#ff7b72', '#7ee787', '#e3b341', '#79c0ff', '#d2a8ff', '#76e3ea', '#c9d1d9'];
const bright = ['#6e7681', '#ffa198', '#a5e8b0', '#f2cc60', '#a5d6ff', '#e2c5ff', '#a5f0f5', '#ffffff'];
const characterWidth = 7.8;
const lineHeight = 18;
const padding = 16;

interface Style {
  color: string | undefined;
  bold: boolean;
  dim: boolean;
}

function apply(style: Style, codes: readonly number[]): Style {
  const next = { ...style };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) Object.assign(next, { color: undefined, bold: false, dim: false });
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 22) Object.assign(next, { bold: false, dim: false });
    else if (code === 39) next.color = undefined;
    else if (code >= 30 && code <= 37) next.color = palette[code - 30];
    else if (code >= 90 && code <= 97) next.color = bright[code - 90];
    else if (code === 38 && codes[i + 1] === 5) {
      next.color = extended(codes[i + 2]!);
      i += 2;
    }
  }
  return next;
}

/** The colour of a number of the 256-colour palette. */
function extended(number: number): string {
  if (number < 8) return palette[number]!;
  if (number < 16) return bright[number - 8]!;
  if (number >= 232)
    return `rgb(${Array(3)
      .fill(8 + (number - 232) * 10)
      .join(',')})`;
  const step = (value: number): number => (value === 0 ? 0 : 55 + value * 40);
  const cube = number - 16;
  return `rgb(${step(Math.floor(cube / 36))},${step(Math.floor(cube / 6) % 6)},${step(cube % 6)})`;
}

const escapeXml = (raw: string): string =>
  raw.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]!);

const lines = (await text(process.stdin)).replace(/\s+$/, '').split('\n');
let widest = 0;
let style: Style = { color: undefined, bold: false, dim: false };
const rows = lines.map((line, row) => {
  let column = 0;
  let spans = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what this looks for
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    const codes = /^\x1b\[([\d;]*)m$/.exec(part);
    if (codes !== null) {
      style = apply(style, codes[1] === '' ? [0] : codes[1]!.split(';').map(Number));
      continue;
    }
    if (part === '') continue;
    const look = [
      style.color === undefined ? '' : ` fill="${style.color}"`,
      style.bold ? ' font-weight="bold"' : '',
      style.dim ? ' opacity="0.6"' : '',
    ].join('');
    // textLength keeps the columns where a terminal has them, whatever font the reader's machine picks.
    const length = [...part].length;
    spans += `<tspan x="${(padding + column * characterWidth).toFixed(1)}" textLength="${(length * characterWidth).toFixed(1)}"${look}>${escapeXml(part)}</tspan>`;
    column += length;
  }
  widest = Math.max(widest, column);
  return `<text y="${padding + (row + 0.75) * lineHeight}" xml:space="preserve">${spans}</text>`;
});

const width = Math.ceil(widest * characterWidth + 2 * padding);
const height = lines.length * lineHeight + 2 * padding;
console.log(
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeXml(process.argv[2] ?? 'What a terminal shows')}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="#c9d1d9">`,
    ...rows,
    '</g>',
    '</svg>',
  ].join('\n'),
);
