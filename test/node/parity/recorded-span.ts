/** What two recordings of the same traffic are compared by: no ids, no times, no ports that the system chose. */
export interface RecordedSpan {
  readonly name: string;
  readonly kind: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number; readonly message: string };
  readonly events: readonly {
    readonly name: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
  /** `name` and `kind` of the parent, if it was recorded in the same scenario; `remote` if it was not. */
  readonly parent: string;
}

/** One recording side: instruments this process when it is created. */
export interface Recording {
  /** The spans that ended since the last call. */
  take(): Promise<RecordedSpan[]>;
  /** Spans that began and have not ended. */
  live(): number;
}

/** The hooks and settings of both sides; both take the same names. */
export interface Settings {
  readonly http: object;
  readonly fetch: object;
}

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

/** A span as either side has it. */
export interface RawSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  /** OTLP's number. */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code: number; readonly message: string };
  readonly events: readonly {
    readonly name: string;
    readonly attributes: Readonly<Record<string, unknown>>;
  }[];
}

export function comparable(spans: readonly RawSpan[]): RecordedSpan[] {
  const known = new Map(spans.map((span) => [span.spanId, span]));
  return spans.map((span) => {
    const parent = known.get(span.parentSpanId);
    if (parent !== undefined && parent.traceId !== span.traceId) throw new Error('a parent of another trace');
    return {
      name: span.name,
      kind: KINDS[span.kind]!,
      attributes: withoutPorts(span.attributes),
      status: span.status,
      events: span.events.map(({ name, attributes }) => ({ name, attributes: withoutStack(attributes) })),
      parent:
        parent !== undefined
          ? `${parent.name} ${KINDS[parent.kind]}`
          : span.parentSpanId === ''
            ? 'none'
            : 'remote',
    };
  });
}

/** Ports that the system chose differ from run to run; what stays is whether there is one. */
function withoutPorts(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([, value]) => value !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => {
        if (typeof value === 'number' && key.endsWith('.port') && value > 1024) return [key, 'ephemeral'];
        return [key, typeof value === 'string' ? value.replace(/:\d{4,5}(?!\d)/g, ':ephemeral') : value];
      }),
  );
}

function withoutStack(attributes: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const stack = attributes['exception.stacktrace'];
  return {
    ...withoutPorts(attributes),
    ...(stack !== undefined && { 'exception.stacktrace': typeof stack }),
  };
}
