// Plugins that each break the contract in one way, with the rules that have to notice.
import { Double, INVALID_SPAN, type SpanData, SpanKind, StatusCode } from '@tracewell/plugin';
import type { OpenSpan, ReferencePlugin } from './reference-plugin.ts';

export interface BrokenPlugin {
  /** The ids of the rules that have to fail, and of no other. */
  readonly breaks: readonly string[];
  /** How many spans the rule on reused handles takes; few where it is not what is broken. */
  readonly reuses?: number;
  change(plugin: ReferencePlugin): void;
}

type Methods = {
  [K in keyof ReferencePlugin as ReferencePlugin[K] extends (...args: never[]) => unknown
    ? K
    : never]: ReferencePlugin[K];
};

/** Replaces one method by a function that gets the sound one first. */
function around<K extends keyof Methods>(
  plugin: ReferencePlugin,
  method: K,
  change: (sound: Methods[K]) => Methods[K],
): void {
  const sound = (plugin[method] as (...args: never[]) => unknown).bind(plugin) as Methods[K];
  (plugin as Methods)[method] = change(sound);
}

const asIs = (value: unknown) => value as never;

/** Reads input that may be hostile: these plugins are broken in one way only. */
function calmly<T>(get: () => T, otherwise: T): T {
  try {
    return get();
  } catch {
    return otherwise;
  }
}

export const brokenPlugins: Readonly<Record<string, BrokenPlugin>> = {
  // Handles
  'leaves out a span now and then': {
    breaks: ['handle-integer', 'handle-unique', 'ids', 'flush-many', 'interleaving'],
    change(plugin) {
      let count = 0;
      around(
        plugin,
        'startSpan',
        (sound) => (start) =>
          calmly(() => start.name.startsWith('span'), false) && ++count % 90 === 0
            ? INVALID_SPAN
            : sound(start),
      );
    },
  },
  'has handles that are no integers': {
    breaks: ['handle-integer', 'handle-unknown', 'no-throw-startSpan'],
    change(plugin) {
      plugin.nextHandle = () => ++plugin.lastHandle + 0.25;
    },
  },
  'has handles beyond the safe integers': {
    breaks: ['handle-integer', 'handle-unknown', 'no-throw-startSpan'],
    change(plugin) {
      plugin.nextHandle = () => 2 ** 60 + 2048 * ++plugin.lastHandle;
    },
  },
  'shares handles when many spans are live': {
    breaks: ['handle-unique'],
    change(plugin) {
      around(plugin, 'nextHandle', (sound) => () => (plugin.open.size > 500 ? plugin.lastHandle : sound()));
    },
  },
  'gives the handle of an ended span to the next one': {
    breaks: ['handle-stale', 'handle-reused', 'interleaving'],
    change(plugin) {
      const free: number[] = [];
      around(plugin, 'nextHandle', (sound) => () => free.pop() ?? sound());
      around(plugin, 'endSpan', (sound) => (span, end) => {
        if (plugin.open.has(span)) free.push(span);
        sound(span, end);
      });
    },
  },
  'counts handles in 20 bits': {
    breaks: ['handle-reused'],
    reuses: 1_100_000,
    change(plugin) {
      plugin.nextHandle = () => {
        plugin.lastHandle = (plugin.lastHandle % (2 ** 20 - 1)) + 1;
        return plugin.lastHandle;
      };
    },
  },
  'looks only at the low 32 bits of a handle': {
    breaks: ['handle-unknown'],
    change(plugin) {
      around(
        plugin,
        'addEvent',
        (sound) => (span, event) =>
          sound(
            calmly(() => Number(span) | 0, INVALID_SPAN),
            event,
          ),
      );
    },
  },
  'takes a string for a handle': {
    breaks: ['handle-unknown'],
    change(plugin) {
      around(
        plugin,
        'setAttribute',
        (sound) => (span, key, value) => sound(typeof span === 'string' ? Number(span) : span, key, value),
      );
    },
  },
  'ends a span as often as it is asked': {
    breaks: ['end-once', 'handle-stale', 'stats', 'shutdown-silence', 'reentrant'],
    change(plugin) {
      const closed = new Map<number, OpenSpan>();
      around(plugin, 'endSpan', (sound) => (span, end) => {
        const found = plugin.open.get(span) ?? closed.get(span);
        if (found !== undefined) plugin.open.set(span, found);
        sound(span, end);
        if (found !== undefined) closed.set(span, found);
      });
    },
  },

  // Identity
  'writes ids in capitals': {
    breaks: ['ids'],
    change(plugin) {
      around(plugin, 'newSpan', (sound) => (start, parent) => {
        const span = sound(start, parent);
        if (parent === undefined && calmly(() => start.context, undefined) === undefined) {
          span.data.traceId = span.data.traceId.toUpperCase();
        }
        return span;
      });
    },
  },
  'gives every root the same trace': {
    breaks: ['ids', 'parent-dead', 'parent-unknown'],
    change(plugin) {
      around(plugin, 'newSpan', (sound) => (start, parent) => {
        const span = sound(start, parent);
        if (parent === undefined && calmly(() => start.context, undefined) === undefined)
          span.data.traceId = 'ab'.repeat(16);
        return span;
      });
    },
  },
  'gives a child a trace of its own': {
    breaks: ['parent-live', 'interleaving'],
    change(plugin) {
      around(plugin, 'newSpan', (sound) => (start, parent) => {
        const span = sound(start, parent);
        if (parent?.remote === false && calmly(() => start.context, undefined) === undefined) {
          span.data.traceId = span.data.spanId.repeat(2);
        }
        return span;
      });
    },
  },
  'prefers the remote parent': {
    breaks: ['parent-live'],
    change(plugin) {
      around(
        plugin,
        'parentOf',
        (sound) => (start) =>
          sound(
            calmly(
              () => (start.remoteParent === undefined ? start : { ...start, parent: asIs(undefined) }),
              start,
            ),
          ),
      );
    },
  },
  'remembers dead parents': {
    breaks: ['parent-dead', 'interleaving'],
    change(plugin) {
      const all = new Map<unknown, OpenSpan>();
      around(plugin, 'startSpan', (sound) => (start) => {
        const span = sound(start);
        const open = plugin.open.get(span);
        if (open !== undefined) all.set(span, open);
        return span;
      });
      around(plugin, 'parentOf', (sound) => (start) => {
        const known = all.get(calmly(() => start.parent, undefined));
        return known === undefined ? sound(start) : { context: known.data, remote: false };
      });
    },
  },
  'leaves out spans whose parent is unknown': {
    breaks: ['parent-unknown', 'parent-dead', 'interleaving'],
    change(plugin) {
      around(
        plugin,
        'startSpan',
        (sound) => (start) =>
          calmly(() => start.parent === undefined || plugin.open.has(start.parent), true)
            ? sound(start)
            : INVALID_SPAN,
      );
    },
  },
  'makes a child of INVALID_SPAN a root': {
    breaks: ['parent-invalid'],
    change(plugin) {
      around(
        plugin,
        'startSpan',
        (sound) => (start) =>
          sound(calmly(() => (start.parent === INVALID_SPAN ? { ...start, parent: -1 } : start), start)),
      );
    },
  },
  'records what is not sampled': {
    breaks: ['unsampled'],
    change(plugin) {
      (plugin as { sampled: boolean }).sampled = true;
    },
  },
  'forgets remote parents': {
    breaks: ['parent-remote', 'trace-state', 'context-given', 'no-references'],
    change(plugin) {
      around(plugin, 'parentOf', (sound) => (start) => {
        const parent = sound(start);
        return parent?.remote === true ? undefined : parent;
      });
    },
  },
  'says that remote parents are local': {
    breaks: ['parent-remote'],
    change(plugin) {
      around(
        plugin,
        'newSpan',
        (sound) => (start, parent) => sound(start, parent && { ...parent, remote: false }),
      );
    },
  },
  'loses the trace state on the way to a child': {
    breaks: ['trace-state'],
    change(plugin) {
      around(plugin, 'parentOf', (sound) => (start) => {
        const parent = sound(start);
        return parent?.remote === false
          ? { context: { ...parent.context, traceState: '' }, remote: false }
          : parent;
      });
    },
  },
  'ignores the identity it is given': {
    breaks: ['context-given', 'trace-state'],
    change(plugin) {
      around(plugin, 'newSpan', (sound) => (start, parent) => {
        const anonymous = calmly(() => ({ ...start, context: asIs(undefined) }), start);
        return sound(anonymous, parent);
      });
    },
  },
  'tells the identity of dead spans': {
    breaks: ['span-context', 'handle-stale', 'shutdown-silence'],
    change(plugin) {
      const said = new Map<number, ReturnType<ReferencePlugin['spanContext']>>();
      around(plugin, 'endSpan', (sound) => (span, end) => {
        if (plugin.open.has(span)) said.set(span, plugin.spanContext(span));
        sound(span, end);
      });
      around(plugin, 'spanContext', (sound) => (span) => sound(span) ?? said.get(span));
    },
  },
  'tells that live spans are not sampled': {
    breaks: ['span-context'],
    change(plugin) {
      around(plugin, 'spanContext', (sound) => (span) => {
        const context = sound(span);
        return context && { ...context, traceFlags: 0 };
      });
    },
  },

  // Recording
  'has no default kind': {
    breaks: ['name-and-kind'],
    change(plugin) {
      around(
        plugin,
        'newSpan',
        (sound) => (start, parent) =>
          sound(
            calmly(() => ({ ...start, kind: start.kind ?? SpanKind.UNSPECIFIED }), start),
            parent,
          ),
      );
    },
  },
  'does not rename': {
    breaks: ['update-name', 'interleaving'],
    change(plugin) {
      plugin.updateName = () => undefined;
    },
  },
  'records undefined as null': {
    breaks: ['attribute-start'],
    change(plugin) {
      around(plugin, 'newSpan', (sound) => (start, parent) => {
        const span = sound(start, parent);
        if (calmly(() => 'gone' in start.attributes!, false)) span.attributes.gone = null;
        return span;
      });
    },
  },
  'records whole doubles as integers': {
    breaks: ['attribute-types'],
    change(plugin) {
      around(
        plugin,
        'copyValue',
        (sound) => (value, depth) =>
          calmly(() => value instanceof Double, false) ? (value as Double).value : sound(value, depth),
      );
    },
  },
  'records bigints as doubles': {
    breaks: ['attribute-types'],
    change(plugin) {
      around(
        plugin,
        'copyValue',
        (sound) => (value, depth) =>
          typeof value === 'bigint' ? new Double(Number(value)) : sound(value, depth),
      );
    },
  },
  'loses keys that an object has by itself': {
    breaks: ['attribute-types'],
    change(plugin) {
      around(plugin, 'putAttribute', (sound) => (span, key, value) => {
        if (!(key in {})) sound(span, key, value);
      });
    },
  },
  'keeps the first value of an attribute': {
    breaks: ['attribute-overwrite', 'limit-attributes', 'interleaving'],
    change(plugin) {
      around(plugin, 'putAttribute', (sound) => (span, key, value) => {
        if (!(key in span.attributes)) sound(span, key, value);
      });
    },
  },
  'counts what is overwritten as dropped': {
    breaks: ['attribute-overwrite', 'limit-attributes'],
    change(plugin) {
      around(plugin, 'putAttribute', (sound) => (span, key, value) => {
        if (key in span.attributes) span.data.droppedAttributesCount++;
        sound(span, key, value);
      });
    },
  },
  'takes every span for a success': {
    breaks: ['status-default', 'handle-stale', 'handle-unknown', 'interleaving'],
    change(plugin) {
      around(plugin, 'newSpan', (sound) => (start, parent) => {
        const span = sound(start, parent);
        span.data.status = { code: StatusCode.OK, message: '' };
        return span;
      });
    },
  },
  'takes OK for final': {
    breaks: ['status-last-wins'],
    change(plugin) {
      around(plugin, 'setStatus', (sound) => (span, status) => {
        if (plugin.open.get(span)?.data.status.code !== StatusCode.OK) sound(span, status);
      });
    },
  },
  'keeps the message of an error that was taken back': {
    breaks: ['status-last-wins'],
    change(plugin) {
      around(plugin, 'setStatus', (sound) => (span, status) => {
        const before = plugin.open.get(span)?.data.status.message;
        sound(span, status);
        const data = plugin.open.get(span)?.data;
        if (data !== undefined)
          data.status = { ...data.status, message: data.status.message || (before ?? '') };
      });
    },
  },
  'delivers the latest event first': {
    breaks: ['events', 'interleaving'],
    change(plugin) {
      around(plugin, 'addEvent', (sound) => (span, event) => {
        sound(span, event);
        const events = plugin.open.get(span)?.data.events;
        if (events !== undefined) events.unshift(...events.splice(-1));
      });
    },
  },
  'takes its own time for events': {
    breaks: ['events', 'no-references'],
    change(plugin) {
      around(plugin, 'addEvent', (sound) => (span, event) => {
        sound(
          span,
          calmly(() => ({ ...event, timeUnixNanos: asIs(undefined) }), event),
        );
      });
    },
  },
  'loses the links of startSpan': {
    breaks: ['links-start', 'links-add', 'limit-links', 'no-references'],
    change(plugin) {
      around(
        plugin,
        'newSpan',
        (sound) => (start, parent) =>
          sound(
            calmly(() => ({ ...start, links: [] }), start),
            parent,
          ),
      );
    },
  },
  'loses the trace state of links': {
    breaks: ['links-start', 'no-references'],
    change(plugin) {
      around(plugin, 'putLink', (sound) => (span, link) => {
        sound(span, link);
        span.data.links = span.data.links.map((kept) => ({ ...kept, traceState: '' }));
      });
    },
  },
  'does not add links': {
    breaks: ['links-add', 'limit-links', 'no-references', 'interleaving'],
    change(plugin) {
      plugin.addLink = () => undefined;
    },
  },
  'rounds times to what a number holds': {
    breaks: ['time-given'],
    change(plugin) {
      around(
        plugin,
        'time',
        (sound) => (given) =>
          sound(typeof given === 'bigint' && given < 2n ** 62n ? BigInt(Number(given)) : given),
      );
    },
  },
  'takes 0n for no time': {
    breaks: ['time-given'],
    change(plugin) {
      around(plugin, 'time', (sound) => (given) => sound(given === 0n ? undefined : given));
    },
  },
  'moves an end before the start': {
    breaks: ['time-given'],
    change(plugin) {
      around(plugin, 'endSpan', (sound) => (span, end) => {
        const start = plugin.open.get(span)?.data.startTimeUnixNanos ?? 0n;
        sound(span, typeof end === 'bigint' && end < start ? start : end);
      });
    },
  },
  'has a clock in microseconds': {
    breaks: ['time-default'],
    change(plugin) {
      around(
        plugin,
        'time',
        (sound) => (given) => (given === undefined ? BigInt(Date.now()) * 1_000n : sound(given)),
      );
    },
  },
  'reads the clock only at the end': {
    breaks: ['time-default'],
    change(plugin) {
      around(plugin, 'endSpan', (sound) => (span, end) => {
        const data = plugin.open.get(span)?.data;
        sound(span, end);
        if (data !== undefined && end === undefined && data.startTimeUnixNanos > 10n ** 18n) {
          data.startTimeUnixNanos = data.endTimeUnixNanos;
        }
      });
    },
  },
  'groups spans by the name of their scope only': {
    breaks: ['scope'],
    change(plugin) {
      const scopes = new Map<string, SpanData['scope']>();
      around(plugin, 'scopeOf', (sound) => (start) => {
        const scope = sound(start);
        scopes.set(scope.name, scopes.get(scope.name) ?? scope);
        return scopes.get(scope.name)!;
      });
    },
  },

  // Limits
  'has no limit on attributes': {
    breaks: ['limit-attributes'],
    change: (plugin) => unlimit(plugin, 'attributeCountLimit'),
  },
  'does not count dropped attributes': {
    breaks: ['limit-attributes'],
    change(plugin) {
      around(plugin, 'putAttribute', (sound) => (span, key, value) => {
        sound(span, key, value);
        span.data.droppedAttributesCount = 0;
      });
    },
  },
  'has no limit on the length of values': {
    breaks: ['limit-value-length'],
    change: (plugin) => unlimit(plugin, 'attributeValueLengthLimit'),
  },
  'cuts values through a surrogate pair': {
    breaks: ['limit-value-length'],
    change(plugin) {
      plugin.cut = (text) => text.slice(0, plugin.limits.attributeValueLengthLimit);
    },
  },
  'has no limit on the length of values in arrays': {
    breaks: ['limit-value-length'],
    change(plugin) {
      around(
        plugin,
        'copyValue',
        (sound) => (value, depth) =>
          depth !== undefined && depth > 0 && typeof value === 'string' ? value : sound(value, depth),
      );
    },
  },
  'has no limit on events': {
    breaks: ['limit-events'],
    change: (plugin) => unlimit(plugin, 'eventCountLimit'),
  },
  'has no limit on the attributes of an event': {
    breaks: ['limit-events'],
    change: (plugin) => unlimit(plugin, 'attributePerEventCountLimit'),
  },
  'has no limit on links': { breaks: ['limit-links'], change: (plugin) => unlimit(plugin, 'linkCountLimit') },
  'has no limit on the attributes of a link': {
    breaks: ['limit-links'],
    change: (plugin) => unlimit(plugin, 'attributePerLinkCountLimit'),
  },

  // Ownership
  'keeps arrays by reference': {
    breaks: ['no-references'],
    change(plugin) {
      around(plugin, 'copyValue', (sound) => (value, depth) => {
        const copy = sound(value, depth);
        return calmly(() => Array.isArray(value) && value[0] === 'before', false) ? asIs(value) : copy;
      });
    },
  },
  'keeps bytes by reference': {
    breaks: ['no-references'],
    change(plugin) {
      around(plugin, 'copyValue', (sound) => (value, depth) => {
        const copy = sound(value, depth);
        return copy instanceof Uint8Array ? asIs(value) : copy;
      });
    },
  },
  'keeps the status by reference': {
    breaks: ['no-references'],
    change(plugin) {
      around(plugin, 'setStatus', (sound) => (span, status) => {
        sound(span, status);
        const data = plugin.open.get(span)?.data;
        if (data !== undefined && data.status.message === 'before') data.status = asIs(status);
      });
    },
  },
  'writes to the attributes it is passed': {
    breaks: ['inputs-unchanged'],
    change(plugin) {
      around(plugin, 'startSpan', (sound) => (start) => {
        const span = sound(start);
        try {
          if (Array.isArray(start.attributes?.list)) Object.assign(start.attributes, { seen: true });
        } catch {
          // Hostile attributes cannot be written to.
        }
        return span;
      });
    },
  },

  // Delivery
  'shares a flush with calls that come later': {
    breaks: ['flush-covers'],
    change(plugin) {
      let running: Promise<void> | undefined;
      around(plugin, 'flush', (sound) => () => {
        running ??= sound().finally(() => {
          running = undefined;
        });
        return running;
      });
    },
  },
  'resolves a flush at once while another is under way': {
    breaks: ['flush-covers'],
    change(plugin) {
      let running = false;
      around(plugin, 'flush', (sound) => async () => {
        if (running) return;
        running = true;
        try {
          await sound();
        } finally {
          running = false;
        }
      });
    },
  },
  'delivers twice what concurrent flushes find': {
    breaks: ['flush-once', 'flush-covers'],
    change(plugin) {
      around(plugin, 'flush', (sound) => async () => {
        if (plugin.failing) return sound();
        const batch = [...plugin.ended];
        await Promise.resolve();
        plugin.deliver(batch);
        plugin.ended = plugin.ended.filter((span) => !batch.includes(span));
      });
    },
  },
  'ends live spans at a flush': {
    breaks: ['flush-keeps-live', 'interleaving'],
    change(plugin) {
      around(plugin, 'flush', (sound) => () => {
        for (const span of plugin.open.keys()) plugin.endSpan(span);
        return sound();
      });
    },
  },
  'loses what does not fit its buffer': {
    breaks: ['flush-many'],
    change(plugin) {
      around(plugin, 'endSpan', (sound) => (span, end) => {
        sound(span, end);
        if (plugin.ended.length > 4_200) plugin.ended.shift();
      });
    },
  },
  'hides that it could not deliver': {
    breaks: ['flush-error', 'flush-retry'],
    change(plugin) {
      around(plugin, 'flush', (sound) => () => sound().catch(() => undefined));
    },
  },
  'rejects with an error of its own': {
    breaks: ['flush-error', 'flush-retry'],
    change(plugin) {
      around(
        plugin,
        'flush',
        (sound) => () =>
          sound().catch(() => {
            throw new Error('flush failed');
          }),
      );
    },
  },
  'throws from flush': {
    breaks: ['flush-error', 'flush-retry'],
    change(plugin) {
      around(plugin, 'flush', (sound) => () => {
        if (plugin.failing) throw new Error('flush failed');
        return sound();
      });
    },
  },
  'never settles a flush that fails': {
    breaks: ['flush-error', 'flush-retry'],
    change(plugin) {
      around(plugin, 'flush', (sound) => () => (plugin.failing ? new Promise(() => undefined) : sound()));
    },
  },
  'miscounts what it retains': {
    breaks: ['flush-error'],
    change(plugin) {
      around(plugin, 'flush', (sound) => async () => {
        try {
          await sound();
        } catch (error) {
          throw Object.assign(error as object, { retained: 1 });
        }
      });
    },
  },
  'drops what it says it retains': {
    breaks: ['flush-retry'],
    change(plugin) {
      around(plugin, 'flush', (sound) => async () => {
        try {
          await sound();
        } catch (error) {
          plugin.ended = [];
          throw error;
        }
      });
    },
  },
  'leaves open spans out at exit': {
    breaks: ['flush-sync'],
    change(plugin) {
      plugin.flushSync = () => plugin.deliver(plugin.take());
    },
  },
  'does not mark open spans': {
    breaks: ['flush-sync', 'shutdown-delivers', 'shutdown-silence'],
    change(plugin) {
      plugin.endOpen = () => {
        for (const span of plugin.open.keys()) plugin.endSpan(span);
      };
    },
  },
  'marks ended spans as unfinished': {
    breaks: ['flush-sync', 'shutdown-delivers'],
    change(plugin) {
      around(plugin, 'endOpen', (sound) => () => {
        for (const span of plugin.ended) Object.assign(span.attributes, { 'tracewell.unfinished': true });
        sound();
      });
    },
  },
  'delivers after flushSync has returned': {
    breaks: ['flush-sync', 'flush-sync-error'],
    change(plugin) {
      plugin.flushSync = () => {
        plugin.endOpen();
        plugin.flush().catch(() => undefined);
      };
    },
  },
  'hides that it could not deliver at exit': {
    breaks: ['flush-sync-error'],
    change(plugin) {
      around(plugin, 'flushSync', (sound) => () => {
        try {
          sound();
        } catch {
          // Nobody is told.
        }
      });
    },
  },
  'loses open spans at shutdown': {
    breaks: ['shutdown-delivers', 'shutdown-idempotent', 'shutdown-silence'],
    change(plugin) {
      around(plugin, 'shutdown', (sound) => () => {
        plugin.open.clear();
        return sound();
      });
    },
  },
  'rejects a second shutdown': {
    breaks: ['shutdown-idempotent'],
    change(plugin) {
      around(plugin, 'shutdown', (sound) => async () => {
        if (plugin.isShutDown) throw new Error('shut down already');
        await sound();
      });
    },
  },
  'records on after shutdown': {
    breaks: ['shutdown-silence', 'shutdown-error'],
    change(plugin) {
      around(
        plugin,
        'shutdown',
        (sound) => () =>
          sound().finally(() => {
            plugin.isShutDown = false;
          }),
      );
    },
  },
  'rejects a flush after shutdown': {
    breaks: ['shutdown-silence'],
    change(plugin) {
      around(plugin, 'flush', (sound) => async () => {
        if (plugin.isShutDown) throw new Error('shut down already');
        await sound();
      });
    },
  },
  'hides that it could not deliver at shutdown': {
    breaks: ['shutdown-error'],
    change(plugin) {
      around(plugin, 'shutdown', (sound) => () => sound().catch(() => undefined));
    },
  },
  'counts ended spans as live': {
    breaks: ['stats'],
    change(plugin) {
      around(plugin, 'stats', (sound) => () => ({ ...sound(), live: plugin.counts.started }));
    },
  },

  // Hostile input
  'reads startSpan without care': {
    breaks: ['no-throw-startSpan'],
    change(plugin) {
      around(plugin, 'startSpan', (sound) => (start) => {
        Object.keys(start.links ?? []);
        return sound(start);
      });
    },
  },
  'reads attributes without care': {
    breaks: ['no-throw-setAttribute', 'hostile-contained'],
    change(plugin) {
      around(plugin, 'setAttribute', (sound) => (span, key, value) => {
        if (typeof value === 'object') JSON.stringify(value);
        sound(span, key, value);
      });
    },
  },
  'reads the status without care': {
    breaks: ['no-throw-setStatus'],
    change(plugin) {
      around(plugin, 'setStatus', (sound) => (span, status) => {
        if (status.message !== undefined) sound(span, status);
        else sound(span, status);
      });
    },
  },
  'reads events without care': {
    breaks: ['no-throw-addEvent'],
    change(plugin) {
      around(plugin, 'addEvent', (sound) => (span, event) => {
        const { name } = event;
        sound(span, name === undefined ? { ...event, name: '' } : event);
      });
    },
  },
  'computes with the end time': {
    breaks: ['no-throw-endSpan'],
    change(plugin) {
      around(plugin, 'endSpan', (sound) => (span, end) => sound(span, end === undefined ? end : end + 0n));
    },
  },
  'takes any name for a string': {
    breaks: ['no-throw-updateName'],
    change(plugin) {
      around(plugin, 'updateName', (sound) => (span, name) => sound(span, name.slice(0)));
    },
  },
  'reads links without care': {
    breaks: ['no-throw-addLink'],
    change(plugin) {
      around(plugin, 'addLink', (sound) => (span, link) => {
        if (link.context.traceId !== undefined) sound(span, link);
      });
    },
  },
  'throws for the identity of an unknown span': {
    breaks: ['no-throw-spanContext', 'span-context', 'handle-unknown', 'handle-stale', 'shutdown-silence'],
    change(plugin) {
      around(plugin, 'spanContext', (sound) => (span) => {
        if (!plugin.open.has(span)) throw new RangeError('no such span');
        return sound(span);
      });
    },
  },
  'gives up a span over one bad value': {
    breaks: ['hostile-contained'],
    change(plugin) {
      const given = new WeakSet<OpenSpan>();
      around(plugin, 'putAttribute', (sound) => (span, key, value) => {
        if (typeof value === 'symbol') given.add(span);
        if (!given.has(span)) sound(span, key, value);
      });
    },
  },
  'shares its buffer with calls made while it reads': {
    breaks: ['reentrant'],
    change(plugin) {
      let target: OpenSpan | undefined;
      around(plugin, 'putAttribute', (sound) => (span, key, value) => {
        target = span;
        const copy = plugin.copyValue(value);
        if (copy !== undefined) sound(target, key, copy);
      });
    },
  },
  'sets the status of whichever span was started last': {
    breaks: ['interleaving'],
    change(plugin) {
      around(plugin, 'setStatus', (sound) => (span, status) => {
        const newest = plugin.open.has(span) ? Math.max(...plugin.open.keys()) : span;
        sound(newest, status);
      });
    },
  },
};

function unlimit(plugin: ReferencePlugin, limit: keyof ReferencePlugin['limits']): void {
  (plugin as { limits: ReferencePlugin['limits'] }).limits = {
    ...plugin.limits,
    [limit]: Number.POSITIVE_INFINITY,
  };
}
