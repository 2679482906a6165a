import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { InstalledInstrumentation } from './discover.ts';

/** The part of OpenTelemetry's `Instrumentation` that is used here. */
export interface PublishedInstrumentation {
  readonly instrumentationName: string;
  /** Hooks into what it instruments. */
  enable(): void;
  /** Takes its hooks back. */
  disable(): void;
}

/**
 * Loads an installed instrumentation and makes one of each class that it exports. Made, it is enabled: it
 * records to the tracer provider that is registered with `@opentelemetry/api`.
 *
 * @throws whatever loading it throws; none of its classes is enabled then
 */
export function loadInstrumentation(installed: InstalledInstrumentation): PublishedInstrumentation[] {
  const exported: unknown = createRequire(join(installed.folder, 'package.json'))(installed.folder);
  const made: PublishedInstrumentation[] = [];
  try {
    for (const Instrumentation of Object.values(exported as object).filter(isInstrumentationClass)) {
      made.push(new Instrumentation());
    }
  } catch (error) {
    for (const one of made) one.disable();
    throw error;
  }
  return made;
}

function isInstrumentationClass(value: unknown): value is new () => PublishedInstrumentation {
  if (typeof value !== 'function' || !value.name.endsWith('Instrumentation')) return false;
  const prototype: unknown = value.prototype;
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    'setTracerProvider' in prototype &&
    'enable' in prototype &&
    'disable' in prototype
  );
}
