import { createRequire } from 'node:module';
import type { Context, TextMapGetter, TextMapPropagator, TextMapSetter } from '@opentelemetry/api';
import { BaggagePropagator } from './baggage-propagator.ts';
import { TraceContextPropagator } from './trace-context-propagator.ts';

/**
 * The values of `OTEL_PROPAGATORS` that are understood. `b3`, `b3multi` and `jaeger` need OpenTelemetry's
 * package for them to be installed: `@opentelemetry/propagator-b3`, `@opentelemetry/propagator-jaeger`.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration
 */
export type PropagatorName = 'tracecontext' | 'baggage' | 'b3' | 'b3multi' | 'jaeger' | 'none';

type Constructor = new (options?: object) => TextMapPropagator;

const require = createRequire(import.meta.url);

const PUBLISHED: Readonly<Record<string, { package: string; export: string; options?: () => object }>> = {
  b3: { package: '@opentelemetry/propagator-b3', export: 'B3Propagator' },
  b3multi: {
    package: '@opentelemetry/propagator-b3',
    export: 'B3Propagator',
    // B3InjectEncoding.MULTI_HEADER of that package.
    options: () => ({ injectEncoding: 1 }),
  },
  jaeger: { package: '@opentelemetry/propagator-jaeger', export: 'JaegerPropagator' },
};

/**
 * The propagators that names stand for, as one.
 *
 * @param wanted - names or propagators; what cannot be had is left out
 * @param onWarning - is told what was left out, and what to do about it
 */
export function createPropagator(
  wanted: readonly (PropagatorName | TextMapPropagator | (string & {}))[],
  onWarning: (message: string) => void,
): TextMapPropagator {
  const propagators: TextMapPropagator[] = [];
  for (const one of new Set(wanted)) {
    const propagator = typeof one === 'string' ? byName(one, onWarning) : one;
    if (propagator !== undefined) propagators.push(propagator);
  }
  return propagators.length === 1 ? propagators[0]! : new CompositePropagator(propagators);
}

/** The names in `OTEL_PROPAGATORS`; without it, `tracecontext` and `baggage`. */
export function propagatorNamesFromEnvironment(env: Readonly<Record<string, string | undefined>>): string[] {
  const names = (env.OTEL_PROPAGATORS ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  return names.length === 0 ? ['tracecontext', 'baggage'] : names;
}

function byName(name: string, onWarning: (message: string) => void): TextMapPropagator | undefined {
  if (name === 'tracecontext') return new TraceContextPropagator();
  if (name === 'baggage') return new BaggagePropagator();
  if (name === 'none') return undefined;
  const published = Object.hasOwn(PUBLISHED, name) ? PUBLISHED[name] : undefined;
  if (published === undefined) {
    const known = ['tracecontext', 'baggage', 'none', ...Object.keys(PUBLISHED)].join(', ');
    onWarning(`The propagator "${name}" is not known and was left out; known are ${known}.`);
    return undefined;
  }
  try {
    const Propagator = (require(published.package) as Record<string, Constructor>)[published.export]!;
    return new Propagator(published.options?.());
  } catch {
    onWarning(`The propagator "${name}" was left out; install ${published.package} to have it.`);
    return undefined;
  }
}

class CompositePropagator implements TextMapPropagator {
  readonly #propagators: readonly TextMapPropagator[];

  constructor(propagators: readonly TextMapPropagator[]) {
    this.#propagators = propagators;
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    for (const propagator of this.#propagators) propagator.inject(context, carrier, setter);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    return this.#propagators.reduce((made, propagator) => propagator.extract(made, carrier, getter), context);
  }

  fields(): string[] {
    return [...new Set(this.#propagators.flatMap((propagator) => propagator.fields()))];
  }
}
