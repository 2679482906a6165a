/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where spans can go by configuration alone. */
export type ExporterName = 'store' | 'otlp' | 'console';

/** Whose spans HTTP and fetch get. */
export type HttpChoice = 'tracewell' | 'opentelemetry';

/** What the environment variables ask for. */
export interface Configuration {
  /** `OTEL_SDK_DISABLED`: record nothing at all. */
  readonly isDisabled: boolean;
  /** Where spans go; may be empty (`OTEL_TRACES_EXPORTER=none`). */
  readonly exporters: readonly ExporterName[];
  /** The store's directory, if `exporters` has `store`. */
  readonly directory: string;
  readonly http: HttpChoice;
  /** Whether an instrumentation is wanted, by its name without `@opentelemetry/instrumentation-`. */
  readonly wants: (instrumentation: string) => boolean;
  /** The instrumentations that `OTEL_NODE_ENABLED_INSTRUMENTATIONS` names. */
  readonly named: readonly string[];
  /** What could not be understood, in a sentence each. */
  readonly warnings: readonly string[];
}

/** The directory of the store when nothing says where spans go. */
export const DEFAULT_DIRECTORY = '.tracewell';

/** Instrumentations that have to be asked for: a span for every access to a file helps nobody. */
const NOT_BY_DEFAULT: ReadonlySet<string> = new Set(['fs']);

/**
 * Reads the variables of OpenTelemetry, which mean here what they mean there, and those of our own.
 *
 * @see https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 */
export function readConfiguration(env: Environment): Configuration {
  const warnings: string[] = [];
  const directory = text(env.TRACEWELL_DIRECTORY);
  const names = list(env.OTEL_TRACES_EXPORTER);
  const hasEndpoint =
    text(env.OTEL_EXPORTER_OTLP_ENDPOINT) !== undefined ||
    text(env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) !== undefined;

  const exporters = new Set<ExporterName>();
  if (directory !== undefined || (names === undefined && !hasEndpoint)) exporters.add('store');
  if (names === undefined && hasEndpoint) exporters.add('otlp');
  for (const name of names ?? []) {
    if (name === 'otlp' || name === 'console') exporters.add(name);
    else if (name !== 'none') {
      warnings.push(
        `OTEL_TRACES_EXPORTER: ${JSON.stringify(name)} is not known and was left out; known are otlp, console, none.`,
      );
    }
  }

  const enabled = list(env.OTEL_NODE_ENABLED_INSTRUMENTATIONS);
  const disabled = list(env.OTEL_NODE_DISABLED_INSTRUMENTATIONS);
  return {
    isDisabled: text(env.OTEL_SDK_DISABLED)?.toLowerCase() === 'true',
    exporters: [...exporters],
    directory: directory ?? DEFAULT_DIRECTORY,
    http: httpChoice(text(env.TRACEWELL_HTTP), warnings),
    wants: (name) =>
      (enabled?.includes(name) ?? !NOT_BY_DEFAULT.has(name)) && disabled?.includes(name) !== true,
    named: enabled ?? [],
    warnings,
  };
}

function httpChoice(choice: string | undefined, warnings: string[]): HttpChoice {
  if (choice === undefined || choice === 'tracewell' || choice === 'opentelemetry')
    return choice ?? 'tracewell';
  warnings.push(
    `TRACEWELL_HTTP: ${JSON.stringify(choice)} is not known, using tracewell; known are tracewell, opentelemetry.`,
  );
  return 'tracewell';
}

/** An empty variable means the same as none: OpenTelemetry's specification of environment variables. */
function text(variable: string | undefined): string | undefined {
  return variable?.trim() || undefined;
}

function list(variable: string | undefined): string[] | undefined {
  return text(variable)
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
