import { hostname } from 'node:os';
import type { Resource } from '@tracewell/plugin';
import { VERSION } from '../version.ts';

/** What {@link resourceFromEnvironment} takes beside the variables. */
export interface ResourceOptions {
  /** Told when a variable is malformed and therefore ignored. Default: nobody. */
  readonly onError?: (error: Error) => void;
}

/** One instance of a service is one process, however often its resource is asked for. */
const instanceId = randomUuid();

/**
 * Describes this process as a resource: what `OTEL_RESOURCE_ATTRIBUTES` says, `OTEL_SERVICE_NAME` over its
 * `service.name`, and what the process knows of itself: `telemetry.sdk.*`, `service.instance.id` (random, one for
 * the process), `process.pid`, `process.runtime.name` and `.version`, and `host.name`. The variables win over
 * everything but `telemetry.sdk.*`. Without any name the service is `unknown_service:node`.
 *
 * `OTEL_RESOURCE_ATTRIBUTES` holds `key=value` pairs between commas, both percent-encoded where they contain one
 * of `,`, `=` and `%` or anything beyond ASCII. If any part of it is malformed, all of it is ignored, as the
 * specification asks.
 *
 * @param env - where the variables stand; default `process.env`
 * @param options - who is told of a malformed variable
 *
 * @see https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
 * @see https://opentelemetry.io/docs/specs/semconv/resource/
 *
 * @example
 * ```ts
 * import { resourceFromEnvironment } from '@tracewell/sdk';
 *
 * const { attributes } = resourceFromEnvironment({
 *   OTEL_SERVICE_NAME: 'shop',
 *   OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=staging,team=check%2Cout',
 * });
 * console.log(attributes['service.name'], attributes['team']); // shop check,out
 * ```
 */
export function resourceFromEnvironment(
  env: Readonly<Record<string, string | undefined>> = process.env,
  options: ResourceOptions = {},
): Resource {
  const attributes: Record<string, string | number> = {
    'service.name': `unknown_service:${process.release.name}`,
    'service.instance.id': instanceId,
    'process.pid': process.pid,
    'process.runtime.name': 'nodejs',
    'process.runtime.version': process.versions.node,
    'host.name': hostname(),
  };
  try {
    for (const [key, value] of parseAttributes(env.OTEL_RESOURCE_ATTRIBUTES ?? '')) attributes[key] = value;
  } catch (error) {
    options.onError?.(error as Error);
  }
  const serviceName = env.OTEL_SERVICE_NAME?.trim();
  if (serviceName) attributes['service.name'] = serviceName;
  return {
    attributes: {
      ...attributes,
      'telemetry.sdk.name': 'tracewell',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': VERSION,
    },
  };
}

function parseAttributes(text: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const equals = part.indexOf('=');
    const key = decode(part.slice(0, Math.max(0, equals)));
    // JavaScript would take this one for the prototype, where no attribute can stand.
    if (key === '' || key === '__proto__') {
      throw new TypeError(
        `OTEL_RESOURCE_ATTRIBUTES is ignored: ${JSON.stringify(key)} is no key; write key=value pairs between commas`,
      );
    }
    pairs.push([key, decode(part.slice(equals + 1))]);
  }
  return pairs;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch (cause) {
    throw new TypeError(
      'OTEL_RESOURCE_ATTRIBUTES is ignored: a percent sign is not followed by the two digits of a UTF-8 byte; write %25 for the sign itself',
      { cause },
    );
  }
}

/**
 * A UUID of version 4. It need not be secret, and the engine seeds `Math.random` from the operating system for each
 * process, so that it is worth no 4 ms of every start for `node:crypto`.
 */
function randomUuid(): string {
  return 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx'.replace(/[xy]/g, (place) => {
    const digit = Math.floor(Math.random() * 16);
    return (place === 'x' ? digit : (digit & 0x3) | 0x8).toString(16);
  });
}
