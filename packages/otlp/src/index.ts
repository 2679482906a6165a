export { decodeResource, decodeScope } from './decode/resource.ts';
export { decodeSpan } from './decode/span.ts';
export { decodeTraces } from './decode/traces.ts';
export type { DecodeLimits, DecodeOptions, InvalidSpan, InvalidSpanReason } from './decode-limits.ts';
export { encodeTraces } from './encode/traces.ts';
export { TraceScanner } from './scan/trace-scanner.ts';
