import {
  type Attributes,
  type BatchExporter,
  ExportError,
  type FlushError,
  type PluginStats,
  type TracerPlugin,
  TracewellError,
} from '@tracewell/plugin';
import { bufferedPlugin } from '../buffered/buffered-plugin.ts';
import type { BufferedPluginOptions } from '../buffered/options.ts';
import { combineFlushErrors } from '../fan-out/branch.ts';
import { checkPlugin } from '../fan-out/plugin-list.ts';
import { messageOf } from '../message-of.ts';
import { checkFunction, checkObject, describe, flag, milliseconds, wholeNumber } from '../options.ts';
import { spanLimitsFromEnvironment } from '../recorder/limits.ts';
import { resourceFromEnvironment } from '../resource/resource-from-environment.ts';
import { samplerFromEnvironment } from '../sampling/environment.ts';
import { type ErrorCallback, ErrorReporter } from './error-reporter.ts';
import { Facade, type FacadeOwner } from './facade.ts';
import { onProcessEnd, type ProcessEndHook } from './process-end.ts';
import { Route } from './route.ts';

/** How the host runs a plugin. Everything has a default. */
export interface HostOptions {
  /**
   * Takes the errors of plugins and exporters, each cause at most once a second. Default: nobody; they are
   * counted in {@link Tracing.stats}, and nothing is ever written to the console.
   */
  readonly onError?: ErrorCallback;
  /**
   * How often the plugin is flushed, in milliseconds. Default: `OTEL_BSP_SCHEDULE_DELAY`, or 1,000. It is what a
   * `SIGKILL` may cost; shorter means smaller batches.
   */
  readonly flushIntervalMs?: number;
  /** Spans that end before the plugin is flushed ahead of time. Default 2,048. */
  readonly flushSpans?: number;
  /** How long one flush may take, in milliseconds, before it counts as failed. Default 30,000. */
  readonly flushTimeoutMs?: number;
  /** The deadline of {@link Tracing.shutdown}, in milliseconds. Default 5,000. */
  readonly shutdownTimeoutMs?: number;
  /**
   * Whether spans are saved when the process ends: by `process.exit()`, an uncaught exception, an unhandled
   * rejection, SIGTERM, SIGINT, SIGHUP, or because nothing is left to do. The process ends just as it would
   * otherwise. Default `true`.
   *
   * Two things that no JavaScript can hide: while nobody else listens for one of these signals, it takes effect
   * on the event loop's next turn, not in the middle of a computation; and when the event loop runs empty with
   * spans left that an asynchronous export delivers better, or alone, `beforeExit` is emitted once more after it.
   */
  readonly saveAtProcessEnd?: boolean;
  /** Where `OTEL_…` variables are read. Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** {@link startTracing} with a plugin. */
export interface PluginTracingOptions extends HostOptions {
  /** What spans go to. The host shuts it down. */
  readonly plugin: TracerPlugin;
  readonly exporters?: never;
}

/** {@link startTracing} with exporters, around which it puts a `bufferedPlugin` with the settings given here. */
export interface ExporterTracingOptions
  extends HostOptions,
    Omit<BufferedPluginOptions, 'onError' | 'resource'> {
  /** What batches go to. The host shuts them down. */
  readonly exporters: BatchExporter | readonly BatchExporter[];
  /** What produces the spans, over what `resourceFromEnvironment` finds. Default: that alone. */
  readonly resource?: Attributes;
  readonly plugin?: never;
}

/** What {@link startTracing} takes: a plugin or exporters. */
export type TracingOptions = PluginTracingOptions | ExporterTracingOptions;

/** What a host did so far. */
export interface TracingStats {
  /** The active plugin's own figures. */
  readonly plugin: PluginStats;
  /** Those of replaced plugins that are not shut down yet. */
  readonly replaced: readonly PluginStats[];
  /** Errors so far, those included that were held back from `onError`. */
  readonly errors: number;
  /** The latest error that was not held back. */
  readonly lastError?: TracewellError;
}

/** A running host: one active plugin, flushed on time, replaceable, shut down by a deadline. */
export interface Tracing extends AsyncDisposable {
  /**
   * Where spans are recorded. It stays the same when the plugin behind it is replaced, and never throws, whatever
   * that plugin does. It has every optional operation.
   */
  readonly plugin: Required<TracerPlugin>;

  /**
   * Flushes now.
   *
   * @throws `FlushError` (`TW_FLUSH_FAILED`), as a rejection, when something could not be delivered
   */
  flush(): Promise<void>;

  /**
   * Makes another plugin the active one without losing a span. New spans go to it at once; those that are live
   * finish on the old plugin, which is then shut down. Traces go on across the change.
   *
   * @param plugin - the new one
   * @param options - `drainTimeoutMs`: how long live spans may keep the old plugin, default 60,000; what is still
   * open then is written as unfinished
   * @returns when the old plugin is shut down
   * @throws `FlushError` (`TW_FLUSH_FAILED`), as a rejection, when the old plugin could not deliver everything
   * @throws TypeError, as a rejection, when the host is shut down, or the plugin is one that it uses already
   */
  replace(plugin: TracerPlugin, options?: { readonly drainTimeoutMs?: number }): Promise<void>;

  /**
   * Delivers everything, open spans included and marked as unfinished, and releases the plugin. Recording
   * afterwards does nothing. Idempotent: every call waits for the first.
   *
   * @param options - `timeoutMs`: the deadline, default {@link HostOptions.shutdownTimeoutMs}
   * @throws `FlushError` (`TW_FLUSH_FAILED`), as a rejection, when something could not be delivered
   * @throws `TracewellError` (`TW_SHUTDOWN_TIMEOUT`), as a rejection, at the deadline
   */
  shutdown(options?: { readonly timeoutMs?: number }): Promise<void>;

  /** What happened so far. */
  stats(): TracingStats;

  /** {@link Tracing.shutdown}. */
  [Symbol.asyncDispose](): Promise<void>;
}

const WHERE = 'startTracing';

/** As long as a timer can wait: where a deadline stands above all plugins, none has one of its own. */
const NO_DEADLINE = 2 ** 31 - 1;

/** With this many flushes pending, the next is left to a later tick. */
const MAX_PENDING_FLUSHES = 32;

/**
 * Starts recording: flushes on a timer, saves the spans when the process ends, keeps every error of a plugin or
 * an exporter away from the application.
 *
 * @param options - a plugin, or exporters with the settings of `bufferedPlugin`
 * @throws TypeError or RangeError if an option is invalid
 *
 * @example
 * ```ts
 * import { consoleExporter, startTracing } from '@tracewell/sdk';
 *
 * await using tracing = startTracing({ exporters: consoleExporter(), resource: { 'service.name': 'shop' } });
 * const checkout = tracing.plugin.startSpan({ name: 'checkout' });
 * tracing.plugin.setAttribute(checkout, 'order.items', 3);
 * tracing.plugin.endSpan(checkout);
 * ```
 */
export function startTracing(options: TracingOptions): Tracing {
  return new Host(options);
}

class Host implements Tracing, FacadeOwner {
  readonly #facade: Facade;
  readonly #reporter: ErrorReporter;
  /** What exporters failed with and was told, or held back: that a flush failed of it is no news. */
  readonly #toldErrors = new WeakSet<object>();
  readonly #flushTimeoutMs: number;
  readonly #shutdownTimeoutMs: number;
  readonly #flushSpans: number;
  readonly #timer: NodeJS.Timeout;
  readonly #leaveProcess: () => void;
  /** Whether `flushSync` is known to save everything, so that the event loop may run empty without a flush. */
  readonly #savesSync: boolean;
  /** The plugins that are not shut down yet; the active one came last. */
  readonly #routes = new Set<Route>();
  #active: Route;
  #endedSinceFlush = 0;
  #pendingFlushes = 0;
  #flushSoon: NodeJS.Immediate | undefined;
  #exiting = false;
  #shutdown: Promise<void> | undefined;

  constructor(options: TracingOptions) {
    checkTracingOptions(options);
    const env = options.env ?? process.env;
    this.#reporter = new ErrorReporter(options.onError);
    const intervalMs = milliseconds(
      WHERE,
      'flushIntervalMs',
      options.flushIntervalMs ?? this.#scheduleDelay(env.OTEL_BSP_SCHEDULE_DELAY),
      1000,
    );
    this.#flushSpans = wholeNumber(WHERE, 'flushSpans', options.flushSpans, 2048);
    this.#flushTimeoutMs = milliseconds(WHERE, 'flushTimeoutMs', options.flushTimeoutMs, 30_000);
    this.#shutdownTimeoutMs = milliseconds(WHERE, 'shutdownTimeoutMs', options.shutdownTimeoutMs, 5000);
    const savesAtEnd = flag(WHERE, 'saveAtProcessEnd', options.saveAtProcessEnd, true);
    const plugin = options.exporters === undefined ? options.plugin : this.#buffered(options, env);
    this.#savesSync = options.exporters !== undefined && savesSync(options.exporters);
    this.#active = new Route(plugin, this.#reporter);
    this.#routes.add(this.#active);
    this.#facade = new Facade(this, this.#active);
    this.#timer = setInterval(() => this.#flushUnasked(), Math.max(1, intervalMs)).unref();
    this.#leaveProcess = savesAtEnd ? onProcessEnd(this.#processEndHook()) : () => {};
  }

  get plugin(): Required<TracerPlugin> {
    return this.#facade;
  }

  routes(): Iterable<Route> {
    return this.#routes;
  }

  async flush(): Promise<void> {
    // Somebody waits for this one, so the process has to live until the plugins are done or given up.
    const alive = setTimeout(() => {}, this.#flushTimeoutMs + 1000);
    try {
      const errors = await this.#flushAll();
      if (errors.length > 0) throw combineFlushErrors(this.#facade.name, this.#routes.size, errors);
    } finally {
      clearTimeout(alive);
    }
  }

  flushSync(): void {
    const errors: FlushError[] = [];
    for (const route of this.#routes) {
      try {
        route.branch.flushSync();
      } catch (error) {
        errors.push(error as FlushError);
      }
    }
    if (errors.length > 0) throw combineFlushErrors(this.#facade.name, this.#routes.size, errors, true);
  }

  spanEnded(route: Route): void {
    this.#endedSinceFlush += 1;
    if (this.#endedSinceFlush >= this.#flushSpans && this.#flushSoon === undefined) {
      this.#flushSoon = setImmediate(() => {
        this.#flushSoon = undefined;
        this.#flushUnasked();
      });
    }
    // Listeners of `exit` that come after ours may end spans, and nothing will come after them.
    if (this.#exiting) this.#saveNow(route);
  }

  async replace(plugin: TracerPlugin, options: { readonly drainTimeoutMs?: number } = {}): Promise<void> {
    checkPlugin('replace', 'plugin', plugin);
    checkObject('replace', 'options', options);
    const drainTimeoutMs = milliseconds('replace', 'drainTimeoutMs', options.drainTimeoutMs, 60_000);
    if (this.#shutdown !== undefined) {
      throw new TypeError('replace: the host is shut down; start another one');
    }
    // The end of its first stay would shut it down in the middle of its second.
    if (Array.from(this.#routes).some((route) => route.branch.plugin === plugin)) {
      throw new TypeError('replace: the plugin is in use already; make a new one');
    }
    const old = this.#active;
    this.#active = new Route(plugin, this.#reporter);
    this.#routes.add(this.#active);
    this.#facade.activate(this.#active);
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, drainTimeoutMs).unref();
    });
    await Promise.race([old.drained(), deadline]);
    clearTimeout(timer);
    // A shutdown of the host in the meantime has taken this one along.
    if (this.#shutdown !== undefined) return this.#shutdown;
    try {
      await old.branch.shutdown(this.#flushTimeoutMs);
    } finally {
      this.#routes.delete(old);
    }
  }

  shutdown(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    checkObject('shutdown', 'options', options);
    const timeoutMs = milliseconds('shutdown', 'timeoutMs', options.timeoutMs, this.#shutdownTimeoutMs);
    this.#shutdown ??= this.#shutdownBy(timeoutMs);
    return this.#shutdown;
  }

  stats(): TracingStats {
    return {
      plugin: this.#active.stats(),
      replaced: Array.from(this.#routes)
        .filter((route) => route !== this.#active)
        .map((route) => route.stats()),
      errors: this.#reporter.count,
      ...(this.#reporter.last === undefined ? {} : { lastError: this.#reporter.last }),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown();
  }

  async #shutdownBy(timeoutMs: number): Promise<void> {
    this.#facade.activate(undefined);
    clearInterval(this.#timer);
    clearImmediate(this.#flushSoon);
    const open = new Set(this.#routes);
    const errors: FlushError[] = [];
    const closing = Array.from(open, async (route) => {
      try {
        await route.branch.shutdown(NO_DEADLINE);
      } catch (error) {
        errors.push(error as FlushError);
      } finally {
        open.delete(route);
      }
    });
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<'late'>((resolve) => {
      // Keeps the process alive: somebody waits for this, and a plugin that hangs may hold nothing that does.
      timer = setTimeout(resolve, timeoutMs, 'late');
    });
    const outcome = await Promise.race([Promise.all(closing), deadline]);
    clearTimeout(timer);
    // The end of the process is the last chance of what is late now, so that case stays registered.
    if (outcome === 'late') {
      const names = Array.from(open, (route) => route.branch.name).join(', ');
      const spans = Array.from(open).reduce((sum, route) => sum + route.branch.undelivered(), 0);
      throw new TracewellError(
        'TW_SHUTDOWN_TIMEOUT',
        `shutdown: ${names} did not finish within ${timeoutMs} ms (spans not delivered: ${spans}); allow more time, or look at why it hangs`,
        errors.length > 0 ? { cause: new AggregateError(errors) } : undefined,
      );
    }
    this.#leaveProcess();
    if (errors.length > 0) throw combineFlushErrors(this.#facade.name, this.#routes.size, errors);
  }

  /** Flushes every plugin; resolves with what failed. */
  async #flushAll(): Promise<FlushError[]> {
    this.#endedSinceFlush = 0;
    this.#pendingFlushes += 1;
    const errors: FlushError[] = [];
    const flushing = Array.from(this.#routes, (route) =>
      route.branch.flush(this.#flushTimeoutMs).catch((error: FlushError) => {
        errors.push(error);
      }),
    );
    await Promise.all(flushing);
    this.#pendingFlushes -= 1;
    return errors;
  }

  /** Flushes for the timer, for pressure, or for the end of the event loop; nobody waits but the reporter. */
  async #flushUnasked(): Promise<void> {
    if (this.#pendingFlushes >= MAX_PENDING_FLUSHES) return;
    for (const error of await this.#flushAll()) this.#reportFlush(error);
  }

  #reportFlush(error: FlushError): void {
    if (error.dropped === 0 && causesOf(error).every((cause) => this.#toldErrors.has(cause))) return;
    this.#reporter.report(`${error.plugin} flush`, () => error);
  }

  #processEndHook(): ProcessEndHook {
    return {
      flushSync: () => {
        this.#exiting = true;
        for (const route of this.#routes) this.#saveNow(route);
      },
      needsFlush: () => !this.#savesSync && this.#endedSinceFlush > 0,
      flush: () => this.#flushUnasked(),
    };
  }

  #saveNow(route: Route): void {
    try {
      route.branch.flushSync();
    } catch (error) {
      // Another cause than a flush before it: what was kept then is lost now.
      this.#reporter.report(`${route.branch.name} exit`, () => error as FlushError);
    }
  }

  #buffered(options: ExporterTracingOptions, env: Environment): TracerPlugin {
    const { exporters, resource, onError: _, plugin: __, ...settings } = options;
    const found = resourceFromEnvironment(env, { onError: (error) => this.#ignored(error.message) });
    const sampler = samplerFromEnvironment(env);
    const limits = spanLimitsFromEnvironment(env);
    for (const warning of [...sampler.warnings, ...limits.warnings]) this.#ignored(warning);
    return bufferedPlugin(exporters, {
      ...settings,
      sampler: settings.sampler ?? sampler.sampler,
      limits: settings.limits ?? limits.limits,
      resource: { ...found, attributes: { ...found.attributes, ...resource } },
      onError: (error, { plugin, exporter }) => {
        // The error of `flushSync` carries this one, and says what is lost.
        if (this.#exiting && exporter !== undefined) return;
        if (exporter !== undefined) this.#toldErrors.add(Object(error));
        this.#reporter.report(`${plugin} ${exporter} ${codeOf(error)}`, () => asTracewellError(error));
      },
    });
  }

  #scheduleDelay(variable: string | undefined): number | undefined {
    const text = variable?.trim();
    if (text === undefined || text === '') return undefined;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    this.#ignored(
      `OTEL_BSP_SCHEDULE_DELAY: ${JSON.stringify(text)} is not a number of milliseconds; ignored.`,
    );
    return undefined;
  }

  /** A typing error in a variable must not stop a service. */
  #ignored(message: string): void {
    this.#reporter.report(message, () => new TracewellError('TW_ENVIRONMENT_INVALID', message));
  }
}

/** The settings of the host itself, beside `plugin`. */
const HOST_FIELDS: Readonly<Record<keyof HostOptions, true>> = {
  onError: true,
  flushIntervalMs: true,
  flushSpans: true,
  flushTimeoutMs: true,
  shutdownTimeoutMs: true,
  saveAtProcessEnd: true,
  env: true,
};

/** Checks what nobody else will: the rest by those that it is for. */
function checkTracingOptions(options: TracingOptions): void {
  checkObject(WHERE, 'options', options);
  // As what they are for somebody who does not have the types.
  const { plugin, exporters, onError, env, ...others } = options as Partial<
    Omit<PluginTracingOptions, 'exporters'> & Omit<ExporterTracingOptions, 'plugin'>
  >;
  if (plugin === undefined && exporters === undefined) {
    throw new TypeError(`${WHERE}: give a plugin, or exporters; got ${describe(options)}`);
  }
  if (plugin !== undefined && exporters !== undefined) {
    throw new TypeError(`${WHERE}: give a plugin or exporters, not both`);
  }
  checkFunction(WHERE, 'onError', onError);
  if (env !== undefined) checkObject(WHERE, 'env', env);
  if (plugin !== undefined) {
    checkPlugin(WHERE, 'plugin', plugin);
    const idle = Object.entries(others).find(
      ([field, value]) => value !== undefined && !(field in HOST_FIELDS),
    );
    if (idle !== undefined) {
      throw new TypeError(
        `${WHERE}: ${idle[0]} does nothing beside a plugin; give it to the plugin, as to bufferedPlugin(exporter, { ${idle[0]} })`,
      );
    }
    return;
  }
  const { resource } = others;
  if (resource === undefined) return;
  checkObject(WHERE, 'resource', resource);
  if (typeof resource.attributes === 'object') {
    throw new TypeError(`${WHERE}: resource: give { 'service.name': … }, not { attributes: { … } }`);
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Whether every exporter delivers before the process exits, and as well as with an event loop. */
function savesSync(exporters: BatchExporter | readonly BatchExporter[]): boolean {
  return [exporters]
    .flat()
    .every((exporter) => exporter.exportSync !== undefined && exporter.exportSyncIsSlow !== true);
}

/** The errors of exporters that made a flush fail; the error itself if it does not say. */
function causesOf(error: FlushError): object[] {
  const { cause } = error;
  return cause instanceof AggregateError ? cause.errors.map(Object) : [Object(cause ?? error)];
}

function codeOf(error: unknown): string {
  return error instanceof TracewellError ? error.code : 'unknown';
}

function asTracewellError(error: unknown): TracewellError {
  if (error instanceof TracewellError) return error;
  return new ExportError(messageOf(error), { retryable: true, cause: error });
}
