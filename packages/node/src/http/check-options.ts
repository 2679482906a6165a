import { aFlag, aFunction, type Check, listOf, options, someText } from '../options.ts';
import type { HttpOptions } from './options.ts';

type Headers = NonNullable<HttpOptions['headersToSpanAttributes']>;

const names = listOf(someText);
const ofOneSide = options<NonNullable<Headers['client']>>({ requestHeaders: names, responseHeaders: names });

/** Throws a TypeError that names the option, unless a value is `HttpOptions`. */
export const checkHttpOptions: Check = options<HttpOptions>({
  ignoreIncomingRequestHook: aFunction,
  ignoreOutgoingRequestHook: aFunction,
  disableIncomingRequestInstrumentation: aFlag,
  disableOutgoingRequestInstrumentation: aFlag,
  startIncomingSpanHook: aFunction,
  startOutgoingSpanHook: aFunction,
  requestHook: aFunction,
  responseHook: aFunction,
  applyCustomAttributesOnSpan: aFunction,
  requireParentforIncomingSpans: aFlag,
  requireParentforOutgoingSpans: aFlag,
  headersToSpanAttributes: options<Headers>({ client: ofOneSide, server: ofOneSide }),
  enableSyntheticSourceDetection: aFlag,
  redactedQueryParams: names,
  redactedQueryParamsServer: names,
  onError: aFunction,
});
