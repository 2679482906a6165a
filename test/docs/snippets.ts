// The TypeScript in the documentation: blocks fenced with ts in docstrings, README.md and docs/*.md.
//
// | fence         | what the tests do with it                                  |
// | ------------- | ---------------------------------------------------------- |
// | ts            | check its types, run it, compare what it says that it prints |
// | ts no-run     | check its types: it needs a server or another program       |
// | ts sketch     | nothing: a fragment, or code that imports the reader's own  |
import { globSync, readFileSync } from 'node:fs';

/** One block, where it stands, and what is to be done with it. */
export interface Snippet {
  /** The file, from the root of the workspace. */
  readonly file: string;
  /** The line of the file on which the code begins, counted from 1. */
  readonly line: number;
  readonly code: string;
  readonly kind: 'run' | 'no-run' | 'sketch';
}

/** All blocks of the documentation. */
export function snippets(root: string): Snippet[] {
  const sources = globSync('packages/*/src/**/*.ts', { cwd: root });
  const guides = [
    'README.md',
    ...globSync('packages/*/README.md', { cwd: root }),
    ...globSync('docs/*.md', { cwd: root }),
  ];
  return [...sources, ...guides].sort().flatMap((file) => {
    const text = readFileSync(`${root}/${file}`, 'utf8');
    return snippetsOf(file, file.endsWith('.ts') ? docstringsOnly(text) : text);
  });
}

/** The blocks of one text. */
export function snippetsOf(file: string, text: string): Snippet[] {
  const found: Snippet[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const fence = /^(\s*)```ts(?:\s+(\S+))?\s*$/.exec(lines[at]!);
    if (fence === null) continue;
    const [, indent = '', kind = 'run'] = fence;
    if (kind !== 'run' && kind !== 'no-run' && kind !== 'sketch') {
      throw new Error(`${file}:${at + 1}: a block can be no-run or sketch, not ${kind}`);
    }
    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end < 0) throw new Error(`${file}:${at + 1}: the block has no end`);
    const code = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    found.push({ file, line: at + 2, code: code.join('\n'), kind });
    at = end;
  }
  return found;
}

/** Blanks out everything but the text of docstrings; lines stay where they are. */
function docstringsOnly(source: string): string {
  let inside = false;
  return source
    .split('\n')
    .map((line) => {
      if (/^\s*\/\*\*/.test(line)) inside = true;
      const text = inside ? line.replace(/^\s*(?:\/\*\*| \*\/|\* ?)/, '').replace(/\*\/\s*$/, '') : '';
      if (line.includes('*/')) inside = false;
      return text;
    })
    .join('\n');
}

/** What a block says that it prints: the comment behind each `console.log(…);`. */
export function claimsOf(code: string): string[] {
  return [...code.matchAll(/^\s*console\.log\(.*\); \/\/ (.+)$/gm)].map((match) => match[1]!);
}
