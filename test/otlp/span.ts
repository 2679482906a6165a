import type { SpanData } from '@tracewell/plugin';

const RESOURCE = { attributes: { 'service.name': 'shop' }, droppedAttributesCount: 0, schemaUrl: '' };
const SCOPE = { name: 'http', version: '1', attributes: {}, droppedAttributesCount: 0, schemaUrl: '' };

/** A span with what a test wants to say about it, and something plain for the rest. */
export function span(part: Partial<SpanData> = {}): SpanData {
  return {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    parentSpanId: '',
    traceState: '',
    flags: 1,
    name: 'checkout',
    kind: 2,
    startTimeUnixNanos: 1_700_000_000_000_000_001n,
    endTimeUnixNanos: 1_700_000_000_020_000_003n,
    attributes: {},
    droppedAttributesCount: 0,
    events: [],
    droppedEventsCount: 0,
    links: [],
    droppedLinksCount: 0,
    status: { code: 0, message: '' },
    resource: RESOURCE,
    scope: SCOPE,
    ...part,
  };
}
