// Every plugin that stands in front of others keeps the whole contract itself.
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
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

/** An object with the same fields, none of which are its own: what spreading and cloning leave behind. */
function accessors<Fields extends object>(fields: Fields): Fields {
  const prototype = {};
  for (const key of Object.keys(fields)) {
    Object.defineProperty(prototype, key, { get: () => fields[key as keyof Fields] });
  }
  return Object.create(prototype);
}

describe('what is given as accessors arrives as if it were plain', () => {
  const wrappers: Record<string, (plugin: TracerPlugin) => TracerPlugin> = {
    'a fan-out': (plugin) => fanOut(plugin),
    'tail sampling': (plugin) => tailSampling(plugin, { keepErrors: false, keepIf: () => true }),
    'redaction that redacts': (plugin) => redact(plugin, { keys: ['secret'] }),
    'the facade of a host': (plugin) => {
      const tracing = startTracing({ plugin, flushIntervalMs: 1_000_000, saveAtProcessEnd: false });
      hosts.push(tracing);
      return tracing.plugin;
    },
  };
  const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: 1, traceState: 'k=v' };
  const remote = { ...context, spanId: 'c'.repeat(16), isRemote: true };
  const attributes = { secret: 'x' };
  for (const [title, wrap] of Object.entries(wrappers)) {
    test(title, () => {
      const [plain, given] = [(fields: object) => fields, accessors].map((as) => {
        const inner = new ReferencePlugin({});
        const plugin = wrap(inner);
        const link = { context: as(remote), attributes };
        const span = plugin.startSpan(
          as({
            name: 'span',
            context: as(context),
            remoteParent: as(remote),
            attributes,
            links: [as(link)],
            startTimeUnixNanos: 5n,
          }) as never,
        );
        plugin.addEvent(span, as({ name: 'event', attributes, timeUnixNanos: 6n }) as never);
        plugin.addLink?.(span, as(link) as never);
        plugin.endSpan(span, 7n);
        plugin.flushSync?.();
        return inner.delivered;
      });
      assert.equal(plain!.length, 1);
      assert.equal(plain![0]!.links.length, 2);
      assert.deepEqual(given, plain);
    });
  }
});
