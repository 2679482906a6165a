import { createRequire, register } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { InstalledInstrumentation } from './discover.ts';

/** `import-in-the-middle/register-hooks.mjs`, from its version 3. */
interface SyncHooks {
  supportsSyncHooks(): boolean;
  register(): void;
}

/** The copies of `import-in-the-middle` that are registered in this thread. */
const registered = new Set<string>();

/**
 * Lets an instrumentation see what ES modules import, which it is told by `import-in-the-middle`. It has to
 * be the very copy that it uses, so that is looked for from where it is.
 *
 * Its hooks run in this thread where Node can do that (22.22.3, 24.11.1 and later), and in a thread of their
 * own before, which costs the start of the application some 30 ms.
 *
 * @throws whatever loading or registering it throws
 */
export function registerImportHooks({ folder }: InstalledInstrumentation): void {
  const base = createRequire(
    createRequire(join(folder, 'package.json')).resolve('@opentelemetry/instrumentation'),
  );
  const hook = base.resolve('import-in-the-middle/hook.mjs');
  if (registered.has(hook)) return;
  const hooks = syncHooks(base);
  if (hooks?.supportsSyncHooks() === true) hooks.register();
  else register(pathToFileURL(hook));
  registered.add(hook);
}

function syncHooks(base: NodeJS.Require): SyncHooks | undefined {
  try {
    return base('import-in-the-middle/register-hooks.mjs') as SyncHooks;
  } catch {
    return undefined;
  }
}
