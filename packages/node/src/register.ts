/**
 * The register hook: `node --import @tracewell/node/register app.js` instruments an application without a
 * change to it, and configures itself from the environment as `tracewell()` does.
 *
 * The application starts when everything is instrumented and the store is open, or after a quarter of a second
 * if that takes longer, as it does after a crash with a large log: what is recorded meanwhile is kept for it.
 * Whatever fails is told in a line on standard error, and the application runs without it.
 *
 * @module
 */
import { StderrReport } from './stderr-report.ts';
import { isSupportedNode, OLDEST_NODE } from './supported-node.ts';

const MAX_WAIT_MS = 250;

const report = new StderrReport();
try {
  // What is not imported cannot fail on what an older version lacks. So this hook itself, its report included, uses
  // nothing new, nor builtin modules, which the build takes from `process.getBuiltinModule`.
  if (!isSupportedNode(process.versions.node)) {
    throw new Error(
      `Tracewell needs Node.js ${OLDEST_NODE} or later, and this is ${process.versions.node}; run the application with a newer one`,
    );
  }
  const { startOnce } = await import('./tracewell.ts');
  const { opened } = startOnce({
    onWarning: (message) => report.warn(message),
    onError: (error) => report.error(error),
  });
  const told = opened.catch((error: unknown) => {
    report.failure('spans are not kept in a store', error);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, MAX_WAIT_MS);
  });
  await Promise.race([told, late]);
  clearTimeout(timer);
} catch (error) {
  report.failure('this process is not traced', error);
}
