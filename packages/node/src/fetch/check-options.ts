import { aFlag, aFunction, type Check, listOf, options, someText } from '../options.ts';
import type { FetchOptions } from './options.ts';

const names = listOf(someText);

/** Throws a TypeError that names the option, unless a value is `FetchOptions`. */
export const checkFetchOptions: Check = options<FetchOptions>({
  ignoreRequestHook: aFunction,
  startSpanHook: aFunction,
  requestHook: aFunction,
  responseHook: aFunction,
  requireParentforSpans: aFlag,
  headersToSpanAttributes: options<NonNullable<FetchOptions['headersToSpanAttributes']>>({
    requestHeaders: names,
    responseHeaders: names,
  }),
  redactedQueryParams: names,
  onError: aFunction,
});
