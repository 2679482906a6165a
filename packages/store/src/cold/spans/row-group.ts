import { decodeSpan } from '@tracewell/otlp';
import {
  EVENT_NAME,
  readFixed32,
  readVarint,
  SPAN_ATTRIBUTES,
  SPAN_DROPPED_ATTRIBUTES_COUNT,
  SPAN_DROPPED_EVENTS_COUNT,
  SPAN_DROPPED_LINKS_COUNT,
  SPAN_END_TIME,
  SPAN_EVENTS,
  SPAN_FLAGS,
  SPAN_KIND,
  SPAN_LINKS,
  SPAN_NAME,
  SPAN_PARENT_SPAN_ID,
  SPAN_SPAN_ID,
  SPAN_START_TIME,
  SPAN_STATUS,
  SPAN_TRACE_ID,
  SPAN_TRACE_STATE,
  STATUS_CODE,
  STATUS_MESSAGE,
  skipVarint,
  toBigUint64,
  WIRE_BYTES,
} from '@tracewell/otlp/wire';
import type { AttributeValue, ResourceData, ScopeData, SpanEventData } from '@tracewell/plugin';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import { BytesDictionary } from '../../parquet/bytes-dictionary.ts';
import { GrowingUint32 } from '../../parquet/growing.ts';
import type { BytesValues, Column, FlatColumn } from '../../parquet/values.ts';
import { AttributeColumn } from '../attributes/attribute-column.ts';
import { skipField } from '../attributes/skip-field.ts';
import { OriginColumns } from '../origin-columns.ts';
import { TextColumn } from '../text-column.ts';
import { KINDS, STATUS_CODES } from './columns.ts';
import { HexColumn } from './hex-column.ts';

const NO_RESOURCE: ResourceData = { attributes: {}, droppedAttributesCount: 0, schemaUrl: '' };
const NO_SCOPE: ScopeData = {
  name: '',
  version: '',
  attributes: {},
  droppedAttributesCount: 0,
  schemaUrl: '',
};

const KIND_VALUES = textValues(KINDS);
const STATUS_VALUES = textValues(STATUS_CODES);
const EXCEPTION = Buffer.from('exception');

const MAX_HIGH = 0x7fff_ffff;
const MAX_LOW = 0xffff_ffff;

/**
 * The columns of a row group while spans are added to it, from their bytes as they came. It keeps its memory for
 * the next row group.
 */
export class SpanRowGroup {
  readonly origins = new OriginColumns();
  readonly #attributes = new AttributeColumn();
  readonly #names = new TextColumn();
  readonly #messages = new TextColumn();
  readonly #traceStates = new TextColumn();
  readonly #exceptionTypes = new TextColumn();
  readonly #exceptionMessages = new TextColumn();
  readonly #traceIds = new HexColumn(16);
  readonly #spanIds = new HexColumn(8);
  readonly #parentIds = new HexColumn(8);
  readonly #hasParent = new ByteBuffer(1 << 12);
  readonly #kinds = new GrowingUint32(1 << 12);
  readonly #statusCodes = new GrowingUint32(1 << 12);
  // Halves.
  readonly #starts = new GrowingUint32(1 << 13);
  readonly #durations = new GrowingUint32(1 << 13);
  readonly #flags = new GrowingUint32(1 << 12);
  readonly #eventCounts = new GrowingUint32(1 << 12);
  readonly #linkCounts = new GrowingUint32(1 << 12);
  readonly #rest = new ByteBuffer();
  readonly #restEnds = new GrowingUint32(1 << 12);

  // The first and the last start, as halves.
  #minHigh = MAX_LOW;
  #minLow = MAX_LOW;
  #maxHigh = 0;
  #maxLow = 0;

  constructor() {
    this.#restEnds.push(0);
  }

  /** When the first of the spans started. */
  get minStart(): bigint {
    return toBigUint64(this.#minLow, this.#minHigh);
  }

  /** When the last of the spans started. */
  get maxStart(): bigint {
    return toBigUint64(this.#maxLow, this.#maxHigh);
  }

  /** How many rows there are. */
  get rows(): number {
    return this.#kinds.length;
  }

  /** About how many bytes the columns take. */
  get byteLength(): number {
    return this.#rest.length + this.#attributes.byteLength + this.rows * 100;
  }

  /**
   * Adds the `Span` message from `start` to `end`, which `TraceScanner` found.
   *
   * @param resource - as `origins` numbered it
   * @param scope - as `origins` numbered it
   */
  add(bytes: Uint8Array, start: number, end: number, resource: number, scope: number): void {
    let traceIdAt = 0;
    let spanIdAt = 0;
    let parentAt = -1;
    let nameStart = start;
    let nameEnd = start;
    let kind = 0;
    let startLow = 0;
    let startHigh = 0;
    let endLow = 0;
    let endHigh = 0;
    let flags = 0;
    let statusCode = 0;
    let messageStart = 0;
    let messageEnd = 0;
    let stateStart = 0;
    let stateEnd = 0;
    let events = 0;
    let links = 0;
    let exception = false;
    for (let at = start; at < end; ) {
      const fieldAt = at;
      let key = bytes[at++]!;
      if (key >= 0x80) {
        key = readVarint(bytes, fieldAt);
        at = skipVarint(bytes, fieldAt);
      }
      if ((key & 7) === WIRE_BYTES) {
        let length = bytes[at]!;
        let body = at + 1;
        if (length >= 0x80) {
          length = readVarint(bytes, at);
          body = skipVarint(bytes, at);
        }
        at = body + length;
        switch (key) {
          case SPAN_ATTRIBUTES:
            if (!this.#attributes.add(bytes, body, at)) this.#keep(bytes, fieldAt, at);
            break;
          case SPAN_TRACE_ID:
            traceIdAt = body;
            break;
          case SPAN_SPAN_ID:
            spanIdAt = body;
            break;
          case SPAN_PARENT_SPAN_ID:
            parentAt = length === 8 ? body : -1;
            break;
          case SPAN_NAME:
            nameStart = body;
            nameEnd = at;
            break;
          case SPAN_STATUS:
            for (let inner = body; inner < at; ) {
              const member = readVarint(bytes, inner);
              inner = skipVarint(bytes, inner);
              const next = skipField(bytes, inner, member);
              if (member === STATUS_CODE) statusCode = readVarint(bytes, inner) >>> 0;
              else if (member === STATUS_MESSAGE) {
                messageStart = skipVarint(bytes, inner);
                messageEnd = next;
              }
              inner = next;
            }
            break;
          case SPAN_TRACE_STATE:
            stateStart = body;
            stateEnd = at;
            break;
          case SPAN_EVENTS:
            events++;
            exception ||= isException(bytes, body, at);
            this.#keep(bytes, fieldAt, at);
            break;
          case SPAN_LINKS:
            links++;
            this.#keep(bytes, fieldAt, at);
            break;
          default:
        }
        continue;
      }
      switch (key) {
        case SPAN_START_TIME:
          startLow = readFixed32(bytes, at);
          startHigh = readFixed32(bytes, at + 4);
          break;
        case SPAN_END_TIME:
          endLow = readFixed32(bytes, at);
          endHigh = readFixed32(bytes, at + 4);
          break;
        case SPAN_KIND:
          kind = readVarint(bytes, at) >>> 0;
          break;
        case SPAN_FLAGS:
          flags = readFixed32(bytes, at);
          break;
        default:
      }
      at = skipField(bytes, at, key);
      if (
        key === SPAN_DROPPED_ATTRIBUTES_COUNT ||
        key === SPAN_DROPPED_EVENTS_COUNT ||
        key === SPAN_DROPPED_LINKS_COUNT
      )
        this.#keep(bytes, fieldAt, at);
    }

    this.#traceIds.add(bytes, traceIdAt);
    this.#spanIds.add(bytes, spanIdAt);
    if (parentAt >= 0 && !isZero(bytes, parentAt)) {
      this.#parentIds.add(bytes, parentAt);
      this.#hasParent.byte(1);
    } else this.#hasParent.byte(0);
    this.#names.add(bytes, nameStart, nameEnd);
    this.#kinds.push(kind < KINDS.length ? kind : 0);
    this.#statusCodes.push(statusCode < STATUS_CODES.length ? statusCode : 0);
    this.#messages.addOrNull(bytes, messageStart, messageEnd);
    this.#traceStates.addOrNull(bytes, stateStart, stateEnd);
    this.#flags.push(flags);
    this.#eventCounts.push(events);
    this.#linkCounts.push(links);
    this.#addTimes(startLow, startHigh, endLow, endHigh);
    this.#addException(exception ? findException(bytes, start, end) : undefined);
    this.#attributes.endRow();
    this.#restEnds.push(this.#rest.length);
    this.origins.addRow(resource, scope);
  }

  /** The columns of all rows. They are no longer good after the next `add` or `clear`. */
  columns(): Record<string, Column> {
    const hasParent = this.#hasParent.written();
    return {
      ...this.origins.columns(),
      trace_id: { values: this.#traceIds.values() },
      span_id: { values: this.#spanIds.values() },
      parent_span_id: { values: this.#parentIds.valuesWhere(hasParent), valid: hasParent },
      name: this.#names.column(),
      kind: { values: { codes: this.#kinds.view(), dictionary: KIND_VALUES } },
      status_code: { values: { codes: this.#statusCodes.view(), dictionary: STATUS_VALUES } },
      status_message: this.#messages.column(),
      start_time: { values: this.#starts.view() },
      duration_ns: { values: this.#durations.view() },
      attributes: this.#attributes.maps(),
      attribute_types: this.#attributes.types(),
      exception_type: this.#exceptionTypes.column(),
      exception_message: this.#exceptionMessages.column(),
      event_count: { values: new Int32Array(this.#eventCounts.view()) },
      link_count: { values: new Int32Array(this.#linkCounts.view()) },
      trace_state: this.#traceStates.column(),
      flags: { values: new Int32Array(this.#flags.view()) },
      otlp: restColumn(this.#rest.written(), this.#restEnds.view()),
    };
  }

  /** Begins anew. */
  clear(): void {
    this.origins.clear();
    this.#attributes.clear();
    for (const texts of [
      this.#names,
      this.#messages,
      this.#traceStates,
      this.#exceptionTypes,
      this.#exceptionMessages,
    ])
      texts.clear();
    for (const ids of [this.#traceIds, this.#spanIds, this.#parentIds]) ids.clear();
    for (const bytes of [this.#hasParent, this.#rest]) bytes.length = 0;
    for (const numbers of [
      this.#kinds,
      this.#statusCodes,
      this.#starts,
      this.#durations,
      this.#flags,
      this.#eventCounts,
      this.#linkCounts,
    ])
      numbers.length = 0;
    this.#restEnds.length = 1;
    this.#minHigh = this.#minLow = MAX_LOW;
    this.#maxHigh = this.#maxLow = 0;
  }

  #addTimes(startLow: number, startHigh: number, endLow: number, endHigh: number): void {
    if (startHigh < this.#minHigh || (startHigh === this.#minHigh && startLow < this.#minLow)) {
      this.#minHigh = startHigh;
      this.#minLow = startLow;
    }
    if (startHigh > this.#maxHigh || (startHigh === this.#maxHigh && startLow > this.#maxLow)) {
      this.#maxHigh = startHigh;
      this.#maxLow = startLow;
    }
    const isCut = startHigh > MAX_HIGH;
    this.#starts.push(isCut ? MAX_LOW : startLow);
    this.#starts.push(isCut ? MAX_HIGH : startHigh);
    const low = (endLow - startLow) >>> 0;
    const high = endHigh - startHigh - (endLow < startLow ? 1 : 0);
    const isNegative = high < 0;
    const isLong = high > MAX_HIGH;
    this.#durations.push(isNegative ? 0 : isLong ? MAX_LOW : low);
    this.#durations.push(isNegative ? 0 : isLong ? MAX_HIGH : high);
    if (isCut) this.#keepTime(SPAN_START_TIME, startLow, startHigh);
    if (isCut || isNegative || isLong) this.#keepTime(SPAN_END_TIME, endLow, endHigh);
  }

  #addException(event: SpanEventData | undefined): void {
    this.#exceptionTypes.addText(textOf(event?.attributes['exception.type']));
    this.#exceptionMessages.addText(textOf(event?.attributes['exception.message']));
  }

  #keep(bytes: Uint8Array, start: number, end: number): void {
    this.#rest.append(bytes.subarray(start, end));
  }

  #keepTime(key: number, low: number, high: number): void {
    this.#rest.byte(key);
    this.#rest.fixed32(low);
    this.#rest.fixed32(high);
  }
}

function isZero(bytes: Uint8Array, at: number): boolean {
  for (let index = at; index < at + 8; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** Whether an `Event` message has the name that OpenTelemetry gives exceptions. */
function isException(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const key = readVarint(bytes, at);
    const body = skipVarint(bytes, at);
    at = skipField(bytes, body, key);
    if (key !== EVENT_NAME) continue;
    if (Buffer.compare(bytes.subarray(skipVarint(bytes, body), at), EXCEPTION) === 0) return true;
  }
  return false;
}

function findException(bytes: Uint8Array, start: number, end: number): SpanEventData | undefined {
  return decodeSpan(bytes, start, end, NO_RESOURCE, NO_SCOPE).events.find(({ name }) => name === 'exception');
}

function textOf(value: AttributeValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function textValues(texts: readonly string[]): BytesValues {
  const dictionary = new BytesDictionary();
  for (const text of texts) dictionary.addText(text);
  return dictionary.values();
}

function restColumn(bytes: Uint8Array, offsets: Uint32Array): FlatColumn {
  const valid = new Uint8Array(offsets.length - 1);
  for (let row = 0; row < valid.length; row++) valid[row] = offsets[row + 1]! > offsets[row]! ? 1 : 0;
  return { values: { bytes, offsets }, valid };
}
