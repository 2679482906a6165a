/**
 * Where the file is that a thread or a process of ours begins with.
 *
 * Such a file is called `NAME.entry.ts`. The sources run as they are, and there it stands where it stands; the
 * build (`scripts/bundle.ts`) writes each to `dist/NAME.js`, beside everything else.
 *
 * @param file - relative to the caller: `./NAME.entry.ts`
 * @param caller - the caller's `import.meta.url`
 */
export function entryUrl(file: string, caller: string): URL {
  if (caller.endsWith('.ts')) return new URL(file, caller);
  return new URL(file.replace(/^.*\/(.*)\.entry\.ts$/, './$1.js'), caller);
}
