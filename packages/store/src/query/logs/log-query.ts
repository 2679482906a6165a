import type { LogData, SeverityNumber } from '@tracewell/otlp';
import type { AttributeValue } from '@tracewell/plugin';
import type { TextMatch } from '../../search/match-text.ts';
import type { SearchLag } from '../../search/search-index.ts';

/** Which log records `Store.queryLogs` finds: those that match every field that is given. */
export interface LogQuery {
  /** The `service.name` of the record's resource; `unknown_service` means those without one. */
  readonly service?: string | undefined;
  /**
   * The record is at least so serious: a number of `SeverityNumber`, of `@tracewell/otlp`. Records that do not say
   * how serious they are (0) are below all others.
   */
  readonly minSeverity?: SeverityNumber | undefined;
  /**
   * The record's body contains this, letter by letter. Of a body that is not a text but a list or a map, any text
   * in it may contain it.
   */
  readonly contains?: string | undefined;
  /**
   * Words that stand in the record's body or in the attributes that are searched (see the option `search` of the
   * store), in the syntax of `TraceQuery.text`.
   */
  readonly text?: string | undefined;
  /**
   * `newest` first, or with a `text` those first that it matches best, by BM25, without further pages. Default
   * `'newest'`.
   */
  readonly order?: 'newest' | 'relevance' | undefined;
  /** The record belongs to this trace: 32 hex digits. */
  readonly traceId?: string | undefined;
  /** The record belongs to this span: 16 hex digits. */
  readonly spanId?: string | undefined;
  /**
   * Attributes that the record has, or its resource if the record does not, with exactly these values. A whole
   * number means the integer as well as the `Double` of `@tracewell/plugin`.
   */
  readonly attributes?: { readonly [key: string]: AttributeValue | undefined } | undefined;
  /**
   * It happened then or later. Nanoseconds since the Unix epoch, or a date. Of a record that does not say when it
   * happened, the time when it was observed counts, here and in the order.
   */
  readonly startTime?: bigint | Date | undefined;
  /** It happened before that. Nanoseconds since the Unix epoch, or a date. */
  readonly endTime?: bigint | Date | undefined;
  /** It happened within the last so many seconds. Not together with `startTime`. */
  readonly lastSeconds?: number | undefined;
  /** Records to return at most, 1 to 10,000. Default 100. */
  readonly limit?: number | undefined;
  /** Goes on behind the page that returned it. The other fields must be the same as for that page. */
  readonly cursor?: string | undefined;
}

/** One page of log records. */
export interface LogPage {
  /** Why rows may be missing: files of the cold tier that cannot be read. Absent if all could be looked into. */
  readonly partial?: readonly string[];
  /**
   * Newest first. Records of the same nanosecond that came with the same request stand in the reverse of the order
   * in which they stood there; those of several requests in an order that never changes.
   */
  readonly logs: LogData[];
  /**
   * Where the next page starts; absent if this was the last one. It names a place in the order and not a number of
   * records, so what is inserted meanwhile makes no page skip or repeat a record.
   */
  readonly cursor?: string;
  /** With a `text`: where each of the records matched, in their order. */
  readonly matches?: readonly TextMatch[];
  /** With a `text`: what was not indexed yet, so that it was not found; absent if everything was. */
  readonly searchLag?: SearchLag;
}
