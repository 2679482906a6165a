export { type InvalidSpanReason, TraceScanner } from './scan/trace-scanner.ts';
