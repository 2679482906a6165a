import {
  type Attributes,
  type AttributeValue,
  Double,
  type SpanData,
  SpanKind,
  StatusCode,
  type TraceNode,
  traceTree,
} from '@tracewell/plugin';
import { checkObject, describe, flag, oneOf } from '../options.ts';
import { formatDuration } from './duration.ts';
import { ansiPalette, type Paint, type Palette, plainPalette } from './palette.ts';
import { columnsOf, fitText, padText, printable, textWidth, wantsColors } from './terminal.ts';

/*
 * A trace on the terminal, one line a span and a few below those that have something to say:
 *
 *   POST /checkout                shop       1.24 s  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
 *   ├─ SELECT cart                shop      12.3 ms  ━╸
 *   └─ ✗ POST /charge             payments   802 ms   ╺━━━━━━━━━━━━━━━━━
 *        card declined
 *        CardError: card declined  at charge (payments.ts:41:9)
 *        http.response.status_code=402
 *
 * Left the tree, then the service, the duration, and when the span ran, to the half of a column.
 */

/** How {@link formatTrace} draws. */
export interface FormatTraceOptions {
  /** Whether to colour. Default: if standard output is a terminal; `NO_COLOR` and `FORCE_COLOR` are honoured. */
  readonly colors?: boolean;
  /** Columns to use. Default: those of the terminal, else `COLUMNS`, else 100. At least 40; names come before bars. */
  readonly width?: number;
  /**
   * Which attributes stand below a span: the `notable` ones (request, response, query and error), `all`, or `none`.
   * Default `notable`.
   */
  readonly attributes?: 'notable' | 'all' | 'none';
  /**
   * How many neighbours alike (childless, of the same name and service, not failing) are shown one by one; more
   * become one line with their number and their sum. Default 4. `Infinity` shows all.
   */
  readonly alike?: number;
  /** Lines of spans of one trace; the rest is counted. Default 500. */
  readonly maxSpans?: number;
}

/** What an exporter that prints many traces fixes for all of them. */
export interface TraceStyle {
  readonly palette: Palette;
  readonly width: number;
  readonly attributes: 'notable' | 'all' | 'none';
  readonly alike: number;
  readonly maxSpans: number;
}

const MIN_WIDTH = 40;
/** Columns of names that the bars leave alone. */
const NAMES_FIRST = 32;
/** Columns below which bars say nothing, and are left out. */
const MIN_BAR = 8;
/** Between the columns. */
const GAP = '  ';

/**
 * Draws traces as trees that a person reads: names, services, durations and a bar for when each span ran; errors
 * with their message and exception; runs of spans alike summed up. A span whose parent is not among them is marked.
 *
 * Recorded text is made safe for a terminal. Several traces come one after another.
 *
 * @param spans - the spans of a trace, in any order
 * @param options - see {@link FormatTraceOptions}
 * @returns lines, without a line end after the last; empty if there is no span
 * @throws TypeError or RangeError if there is no array of spans or an option is invalid
 *
 * @example
 * ```ts
 * import type { SpanData } from '@tracewell/plugin';
 * import { formatTrace } from '@tracewell/sdk';
 *
 * const spans: SpanData[] = []; // from a store, or decodeTraces(batch.bytes)
 * console.log(formatTrace(spans, { width: 80 }));
 * ```
 */
export function formatTrace(spans: readonly SpanData[], options: FormatTraceOptions = {}): string {
  if (!Array.isArray(spans)) {
    throw new TypeError(`formatTrace: spans must be an array of SpanData, got ${describe(spans)}`);
  }
  checkObject('formatTrace', 'options', options);
  checkFormat('formatTrace', options);
  const palette = (options.colors ?? wantsColors(process.stdout)) ? ansiPalette() : plainPalette;
  const style = traceStyle(options, palette, options.width ?? columnsOf(process.stdout));
  return [...Map.groupBy(spans, (span) => span.traceId).values()]
    .map((trace) => formatOneTrace(trace, style))
    .join('\n\n');
}

/**
 * Checks what {@link traceStyle} takes.
 *
 * @throws TypeError or RangeError naming the option
 */
export function checkFormat(where: string, options: FormatTraceOptions): void {
  const { width, alike, maxSpans } = options;
  flag(where, 'colors', options.colors, true);
  oneOf(where, 'attributes', options.attributes, ['notable', 'all', 'none']);
  for (const [field, value] of Object.entries({ width, alike, maxSpans })) {
    if (value === undefined || (typeof value === 'number' && value >= 1)) continue;
    throw new RangeError(`${where}: ${field} must be a number of 1 or more, got ${describe(value)}`);
  }
}

/** Fills in the defaults. */
export function traceStyle(options: FormatTraceOptions, palette: Palette, width: number): TraceStyle {
  return {
    palette,
    width: Math.max(MIN_WIDTH, Math.floor(width) || 0),
    attributes: options.attributes ?? 'notable',
    alike: options.alike ?? 4,
    maxSpans: options.maxSpans ?? 500,
  };
}

/** Draws one trace. */
export function formatOneTrace(spans: readonly SpanData[], style: TraceStyle): string {
  const ids = new Set(spans.map((span) => span.spanId));
  const rows = layOut(traceTree(spans), ids, style);
  return [...header(spans, style), ...new Drawing(spans, rows, style).lines()].join('\n');
}

/** A line with a bar: a span, or several alike. */
interface Row {
  /** The guides of the tree before the text, and before the lines below it. */
  readonly guide: string;
  readonly below: string;
  readonly text: string;
  /** The path of an HTTP request whose name is nothing but its method, with a space before it; else empty. */
  readonly path: string;
  readonly service: string;
  readonly nanos: bigint;
  readonly start: bigint;
  readonly end: bigint;
  readonly span: SpanData | undefined;
  /** What is to be said of a span whose parent is not in the trace; else empty. */
  readonly orphan: string;
}

function layOut(roots: readonly TraceNode[], ids: ReadonlySet<string>, style: TraceStyle): Row[] {
  const rows: Row[] = [];
  let left = 0;
  // Not recursive: a trace may be as deep as it is long.
  type Pending = {
    readonly nodes: readonly TraceNode[];
    at: number;
    readonly guide: string;
    readonly top: boolean;
  };
  const stack: Pending[] = [{ nodes: roots, at: 0, guide: '', top: true }];
  for (let pending = stack.at(-1); pending !== undefined; pending = stack.at(-1)) {
    const { nodes, guide, top } = pending;
    if (pending.at >= nodes.length) {
      stack.pop();
      continue;
    }
    const from = pending.at;
    const count = alikeFrom(nodes, from);
    const taken = count > style.alike ? count : 1;
    pending.at += taken;
    if (rows.length >= style.maxSpans) {
      left += nodes.slice(from, from + taken).reduce((sum, node) => sum + sizeOf(node), 0);
      continue;
    }
    const last = pending.at >= nodes.length;
    const own = top ? '' : `${guide}${last ? '└─ ' : '├─ '}`;
    const inner = top ? '' : `${guide}${last ? '   ' : '│  '}`;
    const node = nodes[from]!;
    const below = `${inner}${node.children.length > 0 ? '│ ' : '  '}`;
    const row =
      taken > 1 ? alikeRow(nodes.slice(from, from + taken), own, below) : spanRow(node.span, own, below);
    // Of spans that claim each other as parents one is at the top too, though its parent is there.
    const { parentSpanId } = node.span;
    const isOrphan = top && parentSpanId !== '' && !ids.has(parentSpanId);
    rows.push(isOrphan ? { ...row, orphan: orphanText(parentSpanId, taken) } : row);
    if (node.children.length > 0) stack.push({ nodes: node.children, at: 0, guide: inner, top: false });
  }
  if (left > 0) rows.push(moreRow(left, rows[0]!));
  return rows;
}

/** Its service was killed, is not traced or keeps its spans elsewhere; or it has not ended yet. */
function orphanText(parentSpanId: string, spans: number): string {
  return spans === 1
    ? `parent not among these spans: ${printable(parentSpanId)}`
    : 'parents not among these spans';
}

const METHOD = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT|QUERY)$/;

/**
 * The path that tells one request from the next where nobody knew the route: OpenTelemetry then names the span after
 * its method alone.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#name
 */
function requestPath({ name, attributes }: SpanData): string {
  if (!METHOD.test(name) && name !== attributes['http.request.method']) return '';
  const { 'url.path': path, 'url.full': url } = attributes;
  const text =
    typeof path === 'string' ? path : typeof url === 'string' ? URL.parse(url)?.pathname : undefined;
  return text ? ` ${valueText(text)}` : '';
}

/** How many neighbours from `at` on are alike: childless, of one name and service, and none failed. */
function alikeFrom(nodes: readonly TraceNode[], at: number): number {
  const first = nodes[at]!;
  let end = at;
  for (; end < nodes.length; end++) {
    const { span, children } = nodes[end]!;
    if (children.length > 0 || isError(span) || isUnfinished(span)) break;
    if (span.name !== first.span.name || serviceOf(span) !== serviceOf(first.span)) break;
  }
  return end - at;
}

function sizeOf(root: TraceNode): number {
  let size = 0;
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    size += 1;
    for (const child of node.children) stack.push(child);
  }
  return size;
}

function spanRow(span: SpanData, guide: string, below: string): Row {
  return {
    guide,
    below,
    text: printable(span.name) || '(no name)',
    path: requestPath(span),
    service: serviceOf(span),
    nanos: span.endTimeUnixNanos - span.startTimeUnixNanos,
    start: span.startTimeUnixNanos,
    end: span.endTimeUnixNanos,
    span,
    orphan: '',
  };
}

function alikeRow(nodes: readonly TraceNode[], guide: string, below: string): Row {
  const spans = nodes.map((node) => node.span);
  const nanos = spans.reduce((sum, span) => sum + span.endTimeUnixNanos - span.startTimeUnixNanos, 0n);
  return {
    ...spanRow(spans[0]!, guide, below),
    text: `${spans.length} × ${printable(spans[0]!.name) || '(no name)'}`,
    path: spans.every((span) => requestPath(span) === requestPath(spans[0]!)) ? requestPath(spans[0]!) : '',
    nanos,
    ...extent(spans),
    span: undefined,
  };
}

function moreRow(count: number, first: Row): Row {
  return {
    guide: '',
    below: '',
    text: `… and ${count.toLocaleString('en')} more spans`,
    path: '',
    service: '',
    nanos: -1n,
    start: first.start,
    end: first.start,
    span: undefined,
    orphan: '',
  };
}

function header(spans: readonly SpanData[], { palette, width }: TraceStyle): string[] {
  const { start, end } = extent(spans);
  const errors = spans.filter(isError).length;
  const services = new Set(spans.map(serviceOf)).size;
  const facts = [
    formatDuration(end - start),
    plural(spans.length, 'span'),
    ...(services > 1 ? [plural(services, 'service')] : []),
    ...(errors > 0 ? [plural(errors, 'error')] : []),
  ];
  const id = `trace ${printable(spans[0]!.traceId)}`;
  const summary = facts.join(' · ');
  const paintedSummary = facts
    .map((fact, index) => (errors > 0 && index === facts.length - 1 ? palette.error(fact) : fact))
    .join(palette.faint(' · '));
  const time = new Date(Number(start / 1_000_000n));
  const when = Number.isNaN(time.getTime()) ? '' : time.toISOString().replace('T', ' ');
  const whole = id.length + 2 + summary.length;
  if (whole > width) {
    return [
      palette.strong(fitText(id, width)),
      summary.length <= width ? paintedSummary : fitText(summary, width),
    ];
  }
  const line = `${palette.strong(id)}  ${paintedSummary}`;
  const space = width - whole - when.length;
  return [space < 2 ? line : `${line}${' '.repeat(space)}${palette.faint(when)}`];
}

/** The first column of a row, fitted. */
interface Label {
  readonly guide: string;
  readonly text: string;
  readonly path: string;
  /** Columns for the text and the path together. */
  readonly room: number;
}

class Drawing {
  readonly #rows: readonly Row[];
  readonly #style: TraceStyle;
  readonly #start: bigint;
  readonly #nanos: number;
  readonly #textWidth: number;
  readonly #serviceWidth: number;
  readonly #durationWidth: number;
  /** 0 where there is no room for bars. */
  readonly #barWidth: number;

  constructor(spans: readonly SpanData[], rows: readonly Row[], style: TraceStyle) {
    const { start, end } = extent(spans);
    this.#rows = rows;
    this.#style = style;
    this.#start = start;
    this.#nanos = Math.max(1, Number(end - start));
    const { width } = style;
    const longest = (lengths: Iterable<number>): number => {
      let most = 0;
      for (const length of lengths) most = Math.max(most, length);
      return most;
    };
    const services = longest(rows.map((row) => textWidth(row.service)));
    this.#durationWidth = longest(rows.map((row) => formatDuration(row.nanos).length));
    // Paths can be long: they may take a good part of the line, but not most of it.
    const mostOfPath = Math.floor(width * 0.3);
    const texts = longest(
      rows.map(
        (row) =>
          textWidth(row.guide) +
          textWidth(row.text) +
          Math.min(textWidth(row.path), mostOfPath) +
          (isFailing(row) ? 2 : 0),
      ),
    );
    // Services may take a fifth of the line, and more only of what names and a good third for the bars leave.
    const spare = width - texts - this.#durationWidth - 3 * GAP.length - Math.ceil(width / 3);
    this.#serviceWidth = Math.min(services, Math.max(spare, Math.floor(width / 5)));
    const rest = width - this.#serviceWidth - this.#durationWidth - 2 * GAP.length;
    // Where a line is short the bars give way first, down to a fifth, then the names; where it is very short,
    // the bars altogether.
    const besideBars = rest - GAP.length - Math.floor(width / 5);
    const names = Math.min(texts, Math.max(besideBars, NAMES_FIRST));
    const bars = rest - GAP.length - names;
    this.#barWidth = bars < MIN_BAR ? 0 : bars;
    this.#textWidth = bars < MIN_BAR ? Math.min(texts, rest) : names;
  }

  *lines(): Iterable<string> {
    for (const row of this.#rows) {
      const label = this.#label(row);
      yield this.#rowLine(row, label);
      const below = label.guide === row.guide ? row.below : padText('', textWidth(label.guide) + 2);
      if (row.orphan !== '') yield this.#detailLine(below, row.orphan, this.#style.palette.warning);
      if (row.span !== undefined) yield* this.#detailLines(row.span, below, label.path === row.path);
    }
  }

  /** What of a row's guide, text and path there is room for. */
  #label(row: Row): Label {
    const width = this.#textWidth - (isFailing(row) ? 2 : 0);
    // However deep the span is, half of the column is for its name.
    const most = Math.max(Math.floor(this.#textWidth / 2), width - textWidth(row.text));
    const guide = textWidth(row.guide) > most ? `${fitText(row.guide, most - 1)} ` : row.guide;
    const room = width - textWidth(guide);
    const text = fitText(row.text, room);
    const left = room - textWidth(text);
    return { guide, text, path: left > 2 ? fitText(row.path, left) : '', room };
  }

  #rowLine(row: Row, { guide, text, path, room }: Label): string {
    const { palette } = this.#style;
    const name = isFailing(row) ? palette.error(`✗ ${text}`) : row.guide === '' ? palette.strong(text) : text;
    const padding = padText('', room - textWidth(text) - textWidth(path));
    if (row.nanos < 0n && row.span === undefined) return palette.faint(row.text);
    const service = padText(fitText(row.service, this.#serviceWidth), this.#serviceWidth);
    const duration = formatDuration(row.nanos).padStart(this.#durationWidth);
    const label = `${palette.faint(guide)}${name}${palette.faint(path)}${padding}`;
    return [label, palette.service(row.service)(service), duration, this.#bar(row)].join(GAP).trimEnd();
  }

  /** When a span ran, in halves of a column; never less than one half, so that nothing disappears. */
  #bar(row: Row): string {
    if (this.#barWidth === 0) return '';
    const { palette } = this.#style;
    const halves = this.#barWidth * 2;
    const at = (time: bigint): number => Math.round((Number(time - this.#start) / this.#nanos) * halves);
    const from = Math.min(Math.max(0, at(row.start)), halves - 1);
    const to = Math.min(Math.max(from + 1, at(row.end)), halves);
    const unfinished = row.span !== undefined && isUnfinished(row.span);
    let bar = '';
    for (let column = from >> 1; column * 2 < to; column++) {
      const left = column * 2 >= from;
      const right = column * 2 + 1 < to;
      bar += left && right ? (unfinished || row.span === undefined ? '╍' : '━') : left ? '╸' : '╺';
    }
    const paint: Paint = isFailing(row)
      ? palette.error
      : unfinished
        ? palette.warning
        : palette.service(row.service);
    return ' '.repeat(from >> 1) + paint(bar);
  }

  #detailLine(below: string, text: string, paint: Paint): string {
    const { palette, width } = this.#style;
    return `${palette.faint(below)}${paint(fitText(text, width - textWidth(below)))}`.trimEnd();
  }

  *#detailLines(span: SpanData, below: string, hasPath: boolean): Iterable<string> {
    const { palette, attributes } = this.#style;
    const line = (text: string, paint: Paint): string => this.#detailLine(below, text, paint);
    if (isUnfinished(span)) yield line('unfinished: it was open when the recording ended', palette.warning);
    const message = printable(span.status.message);
    const exceptions = span.events.filter((event) => event.name === 'exception').map(exceptionText);
    // An exception mostly repeats the message, and says more.
    if (isError(span) && message !== '' && !exceptions.some((text) => text.includes(message))) {
      yield line(message, palette.error);
    }
    for (const text of exceptions.slice(0, MAX_EVENTS)) yield line(text, palette.error);
    const events = span.events.filter((event) => event.name !== 'exception');
    for (const event of events.slice(0, MAX_EVENTS)) {
      const after = formatDuration(event.timeUnixNanos - span.startTimeUnixNanos);
      const described = pairs(event.attributes, Object.keys(event.attributes));
      yield line(`• ${printable(event.name)} after ${after}  ${described}`.trimEnd(), palette.faint);
    }
    if (events.length > MAX_EVENTS) yield line(`• ${events.length - MAX_EVENTS} more events`, palette.faint);
    const text =
      attributes === 'all'
        ? pairs(span.attributes, Object.keys(span.attributes))
        : attributes === 'notable'
          ? pairs(span.attributes, notable(span, hasPath))
          : '';
    if (text !== '') yield line(text, palette.faint);
  }
}

/** Events and exceptions shown of a span. */
const MAX_EVENTS = 3;

/** What most often answers "which request was this, and what came of it"; in the order in which it is shown. */
const NOTABLE = [
  'http.response.status_code',
  'rpc.grpc.status_code',
  'rpc.response.status_code',
  'error.type',
  'url.path',
  'url.full',
  'url.query',
  'server.address',
  'db.namespace',
  'db.query.text',
  'db.statement',
  'db.response.status_code',
  'messaging.destination.name',
  'rpc.method',
  'user.id',
  'enduser.id',
  'session.id',
];

/** The notable attributes of a span, without what its line says already and what goes without saying. */
function notable(span: SpanData, hasPath: boolean): string[] {
  const { attributes, name, kind } = span;
  const status = attributes['http.response.status_code'];
  const saysPath = hasPath && requestPath(span) !== '';
  return NOTABLE.filter((key) => {
    const value = attributes[key];
    if (value === undefined || name.includes(String(value))) return false;
    if (saysPath && (key === 'url.path' || key === 'url.full')) return false;
    // A server is known by its service, a success by the absence of an error.
    if (key === 'server.address') return kind !== SpanKind.SERVER;
    if (key === 'http.response.status_code') return !(Number(value) < 400);
    return !(key === 'error.type' && value === String(status));
  });
}

function pairs(attributes: Attributes, keys: readonly string[]): string {
  return keys.map((key) => `${printable(key)}=${valueText(attributes[key])}`).join('  ');
}

function valueText(value: AttributeValue | undefined): string {
  if (typeof value === 'string') {
    return printable(value.slice(0, 2000)).replace(/\s+/g, ' ').trim();
  }
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value))
    return `[${value.slice(0, 20).map(valueText).join(', ')}${value.length > 20 ? ', …' : ''}]`;
  if (isMap(value)) {
    return `{${pairs(value, Object.keys(value))}}`;
  }
  return printable(String(value));
}

/** An exception event in a line: its type and message, and where it was thrown. */
function exceptionText({ attributes }: { readonly attributes: Attributes }): string {
  const read = (key: string): string => {
    const value = attributes[key];
    return typeof value === 'string' ? value : '';
  };
  const what = [read('exception.type') || 'exception', read('exception.message')].filter(
    (part) => part !== '',
  );
  const frame = /^\s*(at .+)$/m.exec(read('exception.stacktrace').slice(0, 10_000))?.[1];
  return printable(what.join(': ') + (frame === undefined ? '' : `  ${frame}`));
}

function extent(spans: readonly SpanData[]): { readonly start: bigint; readonly end: bigint } {
  let start = spans[0]!.startTimeUnixNanos;
  let end = start;
  for (const span of spans) {
    if (span.startTimeUnixNanos < start) start = span.startTimeUnixNanos;
    if (span.endTimeUnixNanos > end) end = span.endTimeUnixNanos;
  }
  return { start, end };
}

function serviceOf(span: SpanData): string {
  const name = span.resource.attributes['service.name'];
  return typeof name === 'string' ? printable(name) : '';
}

function isError(span: SpanData): boolean {
  return span.status.code === StatusCode.ERROR;
}

function isUnfinished(span: SpanData): boolean {
  return span.attributes['tracewell.unfinished'] === true;
}

function isFailing(row: Row): boolean {
  return row.span !== undefined && isError(row.span);
}

function plural(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

function isMap(value: AttributeValue | undefined): value is { readonly [key: string]: AttributeValue } {
  return typeof value === 'object' && value !== null && !(value instanceof Double);
}
