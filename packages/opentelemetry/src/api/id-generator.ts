/** Draws ids; OpenTelemetry's interface of that name, so that its generators (AWS X-Ray's, say) serve here. */
export interface IdGenerator {
  /** 32 lower-case hex digits, not all zero. */
  generateTraceId(): string;
  /** 16 lower-case hex digits, not all zero. */
  generateSpanId(): string;
}
