import type { SpanContext, SpanHandle, SpanStart } from '@tracewell/plugin';

/** What takes the place of the parent and the identity of a forwarded span. */
export interface Forwarding {
  readonly parent?: SpanHandle;
  readonly remoteParent?: SpanContext | undefined;
  readonly context?: SpanContext | undefined;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

/**
 * What a span was started with, under another parent and identity, for the plugin behind. Field by field: a spread
 * with exclusions costs as much as recording the span (400 ns).
 *
 * @param start - what it was started with; everything but its parents and its identity is taken from it
 * @param forwarding - its parents and identity at the plugin behind; what is absent stays absent
 */
export function forwardStart(start: SpanStart, forwarding: Forwarding): SpanStart {
  const { kind, attributes, links, startTimeUnixNanos, scope } = start;
  const { parent, remoteParent, context } = forwarding;
  const forwarded: Mutable<SpanStart> = { name: start.name };
  if (kind !== undefined) forwarded.kind = kind;
  if (parent !== undefined) forwarded.parent = parent;
  if (remoteParent !== undefined) forwarded.remoteParent = remoteParent;
  if (context !== undefined) forwarded.context = context;
  if (attributes !== undefined) forwarded.attributes = attributes;
  if (links !== undefined) forwarded.links = links;
  if (startTimeUnixNanos !== undefined) forwarded.startTimeUnixNanos = startTimeUnixNanos;
  if (scope !== undefined) forwarded.scope = scope;
  return forwarded;
}
