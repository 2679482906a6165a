import {
  ANY_STRING,
  KEY_VALUE_KEY,
  KEY_VALUE_VALUE,
  LOG_RECORD_ATTRIBUTES,
  LOG_RECORD_BODY,
  LOG_RECORD_DROPPED_ATTRIBUTES_COUNT,
  LOG_RECORD_EVENT_NAME,
  LOG_RECORD_FLAGS,
  LOG_RECORD_OBSERVED_TIME,
  LOG_RECORD_SEVERITY_NUMBER,
  LOG_RECORD_SEVERITY_TEXT,
  LOG_RECORD_SPAN_ID,
  LOG_RECORD_TIME,
  LOG_RECORD_TRACE_ID,
  readFixed32,
  readVarint,
  skipVarint,
  WIRE_BYTES,
} from '@tracewell/otlp/wire';
import type { RequestId } from '../../hot/request-id.ts';
import { ByteBuffer } from '../../parquet/byte-buffer.ts';
import type { Column } from '../../parquet/values.ts';
import { AttributeColumn } from '../attributes/attribute-column.ts';
import { attributeText, TypeTag } from '../attributes/key-value.ts';
import { skipField } from '../attributes/skip-field.ts';
import { OriginColumns } from '../origin-columns.ts';
import { plainUnlessRepeated } from '../repetition.ts';
import { RequestColumns } from '../request-column.ts';
import { BytesColumn, HalvesColumn, IdColumn, Uint32Column } from '../row-columns.ts';
import { TextColumn } from '../text-column.ts';
import { isZeroId } from '../zero-id.ts';

const MAX_SEVERITY = 24;

/**
 * The columns of a row group while log records are added to it, from their bytes as they came. It keeps its memory
 * for the next row group.
 */
export class LogRowGroup {
  readonly origins = new OriginColumns();
  readonly #requests = new RequestColumns();
  readonly #times = new HalvesColumn();
  readonly #observedTimes = new HalvesColumn();
  readonly #severities = new Uint32Column();
  readonly #severityTexts = new TextColumn();
  readonly #bodies = new TextColumn();
  readonly #bodyTypes = new TextColumn();
  readonly #traceIds = new IdColumn();
  readonly #spanIds = new IdColumn();
  readonly #eventNames = new TextColumn();
  readonly #attributes = new AttributeColumn();
  readonly #flags = new Uint32Column();
  readonly #rest = new BytesColumn();
  readonly #keyValue = new ByteBuffer();
  #bodyBytes = 0;

  /** How many rows there are. */
  get rows(): number {
    return this.#severities.rows;
  }

  /** About how many bytes the columns take. */
  get byteLength(): number {
    return this.#rest.byteLength + this.#bodyBytes + this.#attributes.byteLength + this.rows * 140;
  }

  /**
   * Adds the `LogRecord` message from `start` to `end`, which `LogScanner` found.
   *
   * @param resource - as `origins` numbered it
   * @param scope - as `origins` numbered it
   * @param index - the record's place among those of the request
   */
  add(
    bytes: Uint8Array,
    start: number,
    end: number,
    resource: number,
    scope: number,
    request: RequestId,
    index: number,
  ): void {
    let timeLow = 0;
    let timeHigh = 0;
    let observedLow = 0;
    let observedHigh = 0;
    let severity = 0;
    let severityStart = 0;
    let severityEnd = 0;
    let bodyStart = -1;
    let bodyEnd = -1;
    let traceIdAt = -1;
    let spanIdAt = -1;
    let eventStart = 0;
    let eventEnd = 0;
    let flags = 0;
    for (let at = start; at < end; ) {
      const fieldAt = at;
      const key = readVarint(bytes, at);
      at = skipVarint(bytes, at);
      const next = skipField(bytes, at, key);
      const body = (key & 7) === WIRE_BYTES ? skipVarint(bytes, at) : at;
      switch (key) {
        case LOG_RECORD_ATTRIBUTES:
          if (!this.#attributes.add(bytes, body, next)) this.#rest.keep(bytes, fieldAt, next);
          break;
        case LOG_RECORD_TIME:
          timeLow = readFixed32(bytes, at);
          timeHigh = readFixed32(bytes, at + 4);
          break;
        case LOG_RECORD_OBSERVED_TIME:
          observedLow = readFixed32(bytes, at);
          observedHigh = readFixed32(bytes, at + 4);
          break;
        case LOG_RECORD_SEVERITY_NUMBER:
          severity = readVarint(bytes, at) >>> 0;
          break;
        case LOG_RECORD_SEVERITY_TEXT:
          severityStart = body;
          severityEnd = next;
          break;
        case LOG_RECORD_BODY:
          bodyStart = body;
          bodyEnd = next;
          break;
        case LOG_RECORD_TRACE_ID:
          traceIdAt = next - body === 16 && !isZeroId(bytes, body, 16) ? body : -1;
          break;
        case LOG_RECORD_SPAN_ID:
          spanIdAt = next - body === 8 && !isZeroId(bytes, body, 8) ? body : -1;
          break;
        case LOG_RECORD_EVENT_NAME:
          eventStart = body;
          eventEnd = next;
          break;
        case LOG_RECORD_FLAGS:
          flags = readFixed32(bytes, at);
          break;
        case LOG_RECORD_DROPPED_ATTRIBUTES_COUNT:
          this.#rest.keep(bytes, fieldAt, next);
          break;
        default:
      }
      at = next;
    }
    this.#addTimes(timeLow, timeHigh, observedLow, observedHigh);
    this.#severities.add(severity > MAX_SEVERITY ? 0 : severity);
    this.#severityTexts.addOrNull(bytes, severityStart, severityEnd);
    this.#addBody(bytes, bodyStart, bodyEnd);
    this.#traceIds.add(bytes, traceIdAt, 16);
    this.#spanIds.add(bytes, spanIdAt, 8);
    this.#eventNames.addOrNull(bytes, eventStart, eventEnd);
    this.#flags.add(flags);
    this.#attributes.endRow();
    this.#rest.endRow();
    this.#requests.add(request, index);
    this.origins.addRow(resource, scope);
  }

  /** The columns of all rows. They are no longer good after the next `add` or `clear`. */
  columns(): Record<string, Column> {
    return {
      ...this.origins.columns(),
      ...this.#requests.columns(),
      time: this.#times.integers(),
      observed_time: this.#observedTimes.integers(),
      severity_number: this.#severities.column(),
      severity_text: this.#severityTexts.column(),
      body: plainUnlessRepeated(this.#bodies.column()),
      body_type: this.#bodyTypes.column(),
      trace_id: this.#traceIds.column(),
      span_id: this.#spanIds.column(),
      event_name: this.#eventNames.column(),
      attributes: this.#attributes.maps(),
      attribute_types: this.#attributes.types(),
      flags: this.#flags.column(),
      otlp: this.#rest.column(),
    };
  }

  /** Begins anew. */
  clear(): void {
    for (const column of [
      this.origins,
      this.#requests,
      this.#times,
      this.#observedTimes,
      this.#severities,
      this.#severityTexts,
      this.#bodies,
      this.#bodyTypes,
      this.#traceIds,
      this.#spanIds,
      this.#eventNames,
      this.#attributes,
      this.#flags,
      this.#rest,
    ])
      column.clear();
    this.#bodyBytes = 0;
  }

  #addTimes(low: number, high: number, observedLow: number, observedHigh: number): void {
    const isObserved = this.#observedTimes.addTimeOrNull(observedLow, observedHigh);
    if (isObserved) this.#rest.keepFixed64(LOG_RECORD_OBSERVED_TIME, observedLow, observedHigh);
    const hasTime = low !== 0 || high !== 0;
    const isCut = hasTime ? this.#times.addTime(low, high) : this.#times.addTime(observedLow, observedHigh);
    // Said again, a time of 0 takes away what the column says.
    if (isCut || (!hasTime && (observedLow !== 0 || observedHigh !== 0)))
      this.#rest.keepFixed64(LOG_RECORD_TIME, low, high);
  }

  #addBody(bytes: Uint8Array, start: number, end: number): void {
    this.#bodyBytes += end - start;
    if (start < 0) {
      this.#bodies.addText(undefined);
      this.#bodyTypes.addText(undefined);
      return;
    }
    // A text, which nearly every body is.
    if (end > start && bytes[start] === ANY_STRING) {
      const textStart = skipVarint(bytes, start + 1);
      if (textStart + readVarint(bytes, start + 1) === end) {
        this.#bodies.add(bytes, textStart, end);
        this.#bodyTypes.addText('s');
        return;
      }
    }
    const keyValue = this.#keyValue;
    keyValue.length = 0;
    keyValue.byte(KEY_VALUE_KEY);
    keyValue.byte(0);
    keyValue.byte(KEY_VALUE_VALUE);
    keyValue.varint(end - start);
    keyValue.appendRange(bytes, start, end);
    const { value, tag } = attributeText(keyValue.bytes, 0, keyValue.length);
    this.#bodies.add(value, 0, value.length);
    this.#bodyTypes.addText(String.fromCharCode(tag));
    if (tag === TypeTag.OTHER) this.#keepBody(bytes, start, end);
  }

  #keepBody(bytes: Uint8Array, start: number, end: number): void {
    const field = this.#keyValue;
    field.length = 0;
    field.byte(LOG_RECORD_BODY);
    field.varint(end - start);
    field.appendRange(bytes, start, end);
    this.#rest.keep(field.bytes, 0, field.length);
  }
}
