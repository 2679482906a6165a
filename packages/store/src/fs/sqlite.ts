let loaded: typeof import('node:sqlite') | undefined;

/**
 * `node:sqlite`, without the warning that some versions of Node.js print when it is first loaded: it is not
 * the application's business what a library locks with. Only this one warning is held back, and only during
 * this one synchronous call, so that nobody else's can get lost.
 */
export function sqlite(): typeof import('node:sqlite') {
  if (loaded !== undefined) return loaded;
  const emitWarning = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith('SQLite is an experimental feature')) {
      Reflect.apply(emitWarning, process, [warning, ...rest]);
    }
  }) as typeof process.emitWarning;
  try {
    loaded = process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
  return loaded;
}
