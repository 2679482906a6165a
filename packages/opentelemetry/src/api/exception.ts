import type { Exception } from '@opentelemetry/api';
import type { Attributes } from '@tracewell/plugin';

/**
 * The attributes of an `exception` event. Like the OpenTelemetry SDK it prefers an error's `code` (`ENOENT`)
 * to its `name` (`Error`) as the type.
 *
 * @returns `undefined` if there is neither a type nor a message to tell of
 * @see https://opentelemetry.io/docs/specs/semconv/exceptions/exceptions-spans/
 */
export function exceptionAttributes(exception: Exception): Attributes | undefined {
  if (typeof exception === 'string') {
    return exception === '' ? undefined : { 'exception.message': exception };
  }
  const type = text(exception, 'code') ?? text(exception, 'name');
  const message = text(exception, 'message');
  if (type === undefined && message === undefined) return undefined;
  const stacktrace = text(exception, 'stack');
  return {
    ...(type !== undefined && { 'exception.type': type }),
    ...(message !== undefined && { 'exception.message': message }),
    ...(stacktrace !== undefined && { 'exception.stacktrace': stacktrace }),
  };
}

/** A property as text; absent if it is empty, or if reading it throws: anything can be thrown, and so come here. */
function text(exception: Exception, key: 'code' | 'name' | 'message' | 'stack'): string | undefined {
  try {
    const value: unknown = (exception as Partial<Record<typeof key, unknown>> | null | undefined)?.[key];
    return value === undefined || value === null || value === '' ? undefined : String(value);
  } catch {
    return undefined;
  }
}
