import { INVALID_SPAN, type TracerPlugin } from '@tracewell/plugin';

/** The plugin of `OTEL_SDK_DISABLED=true`: samples nothing. */
export const OFF: TracerPlugin = {
  name: 'off',
  startSpan: () => INVALID_SPAN,
  setAttribute() {},
  setStatus() {},
  addEvent() {},
  endSpan() {},
  async flush() {},
};
