import { instrumentFetch, instrumentHttp } from '@tracewell/node';
import { registerOpenTelemetry } from '@tracewell/opentelemetry';
import { decodeTraces } from '@tracewell/otlp';
import { bufferedPlugin } from '@tracewell/sdk';
import { comparable, type RawSpan, type Recording, type Settings } from './recorded-span.ts';

export async function recordOurs(settings: Settings): Promise<Recording> {
  const spans: RawSpan[] = [];
  const plugin = bufferedPlugin({
    name: 'memory',
    async export({ bytes }) {
      for (const span of decodeTraces(bytes)) {
        spans.push({
          ...span,
          attributes: { ...span.attributes },
          status: { code: span.status.code, message: span.status.message },
          events: span.events.map(({ name, attributes }) => ({ name, attributes: { ...attributes } })),
        });
      }
    },
  });
  registerOpenTelemetry({ plugin });
  instrumentHttp(plugin, settings.http);
  instrumentFetch(plugin, settings.fetch);
  return {
    async take() {
      await plugin.flush();
      return comparable(spans.splice(0));
    },
    live: () => plugin.stats().live,
  };
}
