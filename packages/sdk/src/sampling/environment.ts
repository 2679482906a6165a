import { alwaysOff, alwaysOn } from './always.ts';
import { parentBased } from './parent-based.ts';
import type { Sampler } from './sampler.ts';
import { traceIdRatio } from './trace-id-ratio.ts';

/** What {@link samplerFromEnvironment} found. */
export interface SamplerFromEnvironment {
  readonly sampler: Sampler;
  /** What could not be understood and was replaced by a default, for a person to read; usually empty. */
  readonly warnings: readonly string[];
}

/**
 * The sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` ask for.
 *
 * Known are `always_on`, `always_off`, `traceidratio`, `parentbased_always_on` (the default),
 * `parentbased_always_off` and `parentbased_traceidratio`; the argument is the ratio, 1 without one. Whatever
 * else is given leaves the default in force and yields a warning: a typing error must not stop a service.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration
 *
 * @example
 * ```ts
 * import { samplerFromEnvironment } from '@tracewell/sdk';
 *
 * const { sampler, warnings } = samplerFromEnvironment(process.env);
 * for (const warning of warnings) console.error(warning);
 * console.log(sampler.description);
 * ```
 */
export function samplerFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): SamplerFromEnvironment {
  const warnings: string[] = [];
  // An empty variable means the same as none: OpenTelemetry's specification of environment variables.
  const name = environment.OTEL_TRACES_SAMPLER?.trim() || 'parentbased_always_on';
  const make = Object.hasOwn(SAMPLERS, name) ? SAMPLERS[name] : undefined;
  if (make === undefined) {
    warnings.push(
      `OTEL_TRACES_SAMPLER: unknown sampler ${JSON.stringify(name)}; using parentbased_always_on. ` +
        `Known are ${Object.keys(SAMPLERS).join(', ')}.`,
    );
    return { sampler: parentBased(alwaysOn()), warnings };
  }
  const sampler = make(() => {
    const text = environment.OTEL_TRACES_SAMPLER_ARG?.trim();
    if (text === undefined || text === '') return 1;
    const ratio = Number(text);
    if (ratio >= 0 && ratio <= 1) return ratio;
    warnings.push(
      `OTEL_TRACES_SAMPLER_ARG: ${JSON.stringify(text)} is not a number from 0 to 1; using 1, which samples everything.`,
    );
    return 1;
  });
  return { sampler, warnings };
}

const SAMPLERS: Readonly<Record<string, (ratio: () => number) => Sampler>> = {
  always_on: alwaysOn,
  always_off: alwaysOff,
  traceidratio: (ratio) => traceIdRatio(ratio()),
  parentbased_always_on: () => parentBased(alwaysOn()),
  parentbased_always_off: () => parentBased(alwaysOff()),
  parentbased_traceidratio: (ratio) => parentBased(traceIdRatio(ratio())),
};
