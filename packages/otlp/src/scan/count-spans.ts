import { REQUEST_RESOURCE_SPANS, RESOURCE_SPANS_SCOPE_SPANS, SCOPE_SPANS_SPANS } from '../wire/fields.ts';
import { forEachElement } from './repeated-field.ts';

/**
 * Counts the spans of an OTLP trace request without decoding them, invalid ones included.
 *
 * @throws `TracewellError` (`TW_DECODE_INVALID`) with the offset where the frame of the messages is broken
 *
 * @example
 * ```ts
 * import { countSpans } from '@tracewell/otlp';
 *
 * console.log(countSpans(new Uint8Array())); // 0
 * ```
 */
export function countSpans(bytes: Uint8Array): number {
  let count = 0;
  forEachElement(bytes, 0, bytes.length, REQUEST_RESOURCE_SPANS, (resourceStart, resourceEnd) => {
    forEachElement(bytes, resourceStart, resourceEnd, RESOURCE_SPANS_SCOPE_SPANS, (scopeStart, scopeEnd) => {
      forEachElement(bytes, scopeStart, scopeEnd, SCOPE_SPANS_SPANS, () => {
        count++;
      });
    });
  });
  return count;
}
