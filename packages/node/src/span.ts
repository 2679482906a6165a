import {
  type Attributes as ApiAttributes,
  type Exception,
  type Span,
  SpanStatusCode,
} from '@opentelemetry/api';
import type { Attributes } from '@tracewell/plugin';

/**
 * Our attributes as the API's type. The types differ only in what the API leaves to its implementer (64-bit
 * integers, bytes, maps); ours takes all of it.
 */
export function toApiAttributes(attributes: Attributes): ApiAttributes {
  return attributes as ApiAttributes;
}

/** Sets all of some attributes. */
export function setAttributes(span: Span, attributes: Attributes): void {
  span.setAttributes(toApiAttributes(attributes));
}

/**
 * Marks a span as failed by an error, and keeps the error as an event.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/attributes-registry/error/
 */
export function failSpan(span: Span, error: unknown): void {
  const { name = typeof error, message = String(error) } = (error ?? {}) as Partial<Error>;
  span.setAttribute('error.type', name);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.recordException(error as Exception);
}
