// Every plugin that stands in front of others keeps the whole contract itself.
import { after } from 'node:test';
import type { TracerPlugin } from '@tracewell/plugin';
import { type PluginRequest, type PluginSubject, testTracerPlugin } from '@tracewell/plugin/conformance';
import { fanOut, redact, secretRules, startTracing, tailSampling } from '@tracewell/sdk';
import { ReferencePlugin } from '../plugin/reference-plugin.ts';
import { throwingPlugin } from './support/plugins.ts';

// Every wrapper costs about the same per span, so fewer than a million show whether handles are reused.
const reuses = 150_000;

function around(wrap: (plugin: TracerPlugin) => TracerPlugin): (request: PluginRequest) => PluginSubject {
  return (request) => {
    const inner = new ReferencePlugin(request);
    return {
      plugin: wrap(inner),
      spans: () => [...inner.delivered],
      failDelivery: (failing) => {
        inner.failing = failing;
      },
    };
  };
}

const abilities = { limits: true, sampling: true, reuses };

testTracerPlugin('a fan-out of one', { ...abilities, create: around((plugin) => fanOut(plugin)) });

testTracerPlugin('a fan-out beside a plugin that always throws', {
  limits: true,
  reuses: 20_000,
  create: around((plugin) => fanOut([throwingPlugin(), plugin, throwingPlugin()])),
});

testTracerPlugin('tail sampling that keeps by trace id', {
  ...abilities,
  create: around((plugin) => tailSampling(plugin, { keepRatio: 1 })),
});

testTracerPlugin('redaction', { ...abilities, create: around((plugin) => redact(plugin, secretRules)) });

const hosts: ReturnType<typeof startTracing>[] = [];
testTracerPlugin('the facade of a host', {
  ...abilities,
  create: around((plugin) => {
    const tracing = startTracing({ plugin, flushIntervalMs: 1_000_000, saveAtProcessEnd: false });
    hosts.push(tracing);
    return tracing.plugin;
  }),
});
after(() => Promise.allSettled(hosts.map((host) => host.shutdown())));
