import type { LogData } from '@tracewell/otlp';
import { type Attributes, type AttributeValue, Double, type SpanData } from '@tracewell/plugin';
import type { RecordText } from './match-text.ts';

/**
 * The keys of attributes that are searched unless the options name others: exceptions, statements, URLs, prompts and
 * completions, in the names that OpenTelemetry's conventions give them and gave them before. A star stands for any
 * rest.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/
 */
export const SEARCH_ATTRIBUTES: readonly string[] = [
  'exception.type',
  'exception.message',
  'exception.stacktrace',
  'error.message',
  'db.query.text',
  'db.statement',
  'db.query.summary',
  'url.full',
  'url.path',
  'url.query',
  'http.url',
  'http.target',
  'gen_ai.system_instructions',
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.prompt*',
  'gen_ai.completion*',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
  'gen_ai.event.content',
  'llm.prompts*',
  'llm.completions*',
  'input.value',
  'output.value',
  'content',
  'message',
];

/** Characters of a record that are searched at most; what comes after is not found. 64 Ki. */
export const MAX_RECORD_LENGTH = 64 * 1024;

/** Takes the texts out of records that are searched. */
export class TextPicker {
  readonly #keys: ReadonlySet<string>;
  readonly #prefixes: readonly string[];

  /** @param attributes - keys; a star at the end stands for any rest */
  constructor(attributes: readonly string[] = SEARCH_ATTRIBUTES) {
    this.#keys = new Set(attributes.filter((key) => !key.endsWith('*')));
    this.#prefixes = attributes.filter((key) => key.endsWith('*')).map((key) => key.slice(0, -1));
  }

  /** Of a span: the message of its status, and what is searched of its attributes and those of its events. */
  ofSpan({ status, attributes, events }: SpanData): RecordText[] {
    const texts: RecordText[] = [];
    if (status.message) texts.push({ field: 'status.message', text: status.message });
    this.#addAttributes(texts, attributes);
    for (const event of events) this.#addAttributes(texts, event.attributes);
    return bounded(texts);
  }

  /** Of a log record: its body, and what is searched of its attributes. */
  ofLog({ body, attributes }: LogData): RecordText[] {
    const texts: RecordText[] = [];
    addValue(texts, 'body', body);
    this.#addAttributes(texts, attributes);
    return bounded(texts);
  }

  #addAttributes(texts: RecordText[], attributes: Attributes): void {
    for (const key in attributes) {
      if (this.#picks(key)) addValue(texts, key, attributes[key]);
    }
  }

  #picks(key: string): boolean {
    return this.#keys.has(key) || this.#prefixes.some((prefix) => key.startsWith(prefix));
  }
}

/** A text, or the texts in a list or a map. */
function addValue(texts: RecordText[], field: string, value: AttributeValue | undefined): void {
  if (typeof value === 'string') {
    if (value !== '') texts.push({ field, text: value });
  } else if (typeof value === 'object' && value !== null) {
    if (value instanceof Uint8Array || value instanceof Double) return;
    for (const part of Object.values(value)) addValue(texts, field, part as AttributeValue);
  }
}

function bounded(texts: RecordText[]): RecordText[] {
  let left = MAX_RECORD_LENGTH;
  for (const [index, { field, text }] of texts.entries()) {
    if (text.length > left) {
      texts[index] = { field, text: text.slice(0, left) };
      texts.length = index + 1;
      break;
    }
    left -= text.length;
  }
  return texts;
}
