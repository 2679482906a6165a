import type { TracerProvider } from '@opentelemetry/api';
import type { TracerPlugin } from '@tracewell/plugin';
import type { Instrumentation } from '../instrumentation.ts';
import { tracerOf } from '../tracer.ts';
import { checkHttpOptions } from './check-options.ts';
import { traceClients } from './client.ts';
import type { HttpOptions } from './options.ts';
import { traceServers } from './server.ts';

/**
 * Records the HTTP requests that this process answers and makes, `http` and `https`, for as long as it is
 * enabled: names, attributes and status as `@opentelemetry/instrumentation-http` records them under the
 * stable semantic conventions, at a fraction of its cost.
 *
 * The context of callers is read, and sent on, with the propagator that is registered with
 * `@opentelemetry/api`; `registerOpenTelemetry` of `@tracewell/opentelemetry` registers one.
 *
 * @param recorder - what records the spans: a plugin, or a tracer provider (the OpenTelemetry SDK's will do)
 * @throws TypeError if `recorder` is neither, or naming an option that is none
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { instrumentHttp } from '@tracewell/node';
 * import { registerOpenTelemetry } from '@tracewell/opentelemetry';
 * import { bufferedPlugin, consoleExporter } from '@tracewell/sdk';
 *
 * const plugin = bufferedPlugin(consoleExporter());
 * registerOpenTelemetry({ plugin });
 * instrumentHttp(plugin, { ignoreIncomingRequestHook: (request) => request.url === '/healthz' });
 *
 * const server = createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1', async () => {
 *   const { port } = server.address() as { port: number };
 *   await fetch(`http://127.0.0.1:${port}/`);
 *   server.close();
 *   await plugin.flush();
 * });
 * ```
 */
export function instrumentHttp(
  recorder: TracerPlugin | TracerProvider,
  options: HttpOptions = {},
): Instrumentation {
  const tracer = tracerOf(recorder, 'instrumentHttp');
  checkHttpOptions('instrumentHttp: options', options);
  const undo = [
    ...(options.disableIncomingRequestInstrumentation === true ? [] : [traceServers(tracer, options)]),
    ...(options.disableOutgoingRequestInstrumentation === true ? [] : [traceClients(tracer, options)]),
  ];
  return {
    name: 'http',
    disable() {
      for (const one of undo.splice(0)) one();
    },
  };
}
