import {
  type BaggageEntry,
  baggageEntryMetadataFromString,
  type Context,
  propagation,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api';
import { isTracingSuppressed } from '../api/context.ts';

/** Bounds on what is read and written; the specification asks for at least 64 members and 8,192 bytes. */
const MAX_MEMBERS = 180;
const MAX_LENGTH = 8192;

/**
 * Carries baggage, the name-value pairs that travel with a request, in the header `baggage`.
 *
 * @see https://www.w3.org/TR/baggage/
 */
export class BaggagePropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const baggage = propagation.getBaggage(context);
    if (baggage === undefined || isTracingSuppressed(context)) return;
    let header = '';
    for (const [key, entry] of baggage.getAllEntries().slice(0, MAX_MEMBERS)) {
      const properties = entry.metadata === undefined ? '' : `;${entry.metadata.toString()}`;
      const member = `${encodeURIComponent(key)}=${encodeURIComponent(entry.value)}${properties}`;
      const longer = header === '' ? member : `${header},${member}`;
      if (longer.length <= MAX_LENGTH) header = longer;
    }
    if (header !== '') setter.set(carrier, 'baggage', header);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const headers = getter.get(carrier, 'baggage');
    const header = Array.isArray(headers) ? headers.join(',') : headers;
    if (!header) return context;
    // Members beyond the length are left out whole, so that no value arrives cut.
    const end = header.length <= MAX_LENGTH ? header.length : header.lastIndexOf(',', MAX_LENGTH);
    const entries: Record<string, BaggageEntry> = Object.create(null);
    let count = 0;
    for (const member of header.slice(0, Math.max(end, 0)).split(',', MAX_MEMBERS)) {
      const parsed = parseMember(member);
      if (parsed === undefined) continue;
      entries[parsed.key] = parsed.entry;
      count++;
    }
    return count === 0 ? context : propagation.setBaggage(context, propagation.createBaggage(entries));
  }

  fields(): string[] {
    return ['baggage'];
  }
}

function parseMember(member: string): { key: string; entry: BaggageEntry } | undefined {
  const semicolon = member.indexOf(';');
  const pair = semicolon < 0 ? member : member.slice(0, semicolon);
  const equals = pair.indexOf('=');
  if (equals < 1) return undefined;
  try {
    const key = decodeURIComponent(pair.slice(0, equals).trim());
    const value = decodeURIComponent(pair.slice(equals + 1).trim());
    if (key === '' || value === '') return undefined;
    const properties = semicolon < 0 ? '' : member.slice(semicolon + 1).trim();
    return {
      key,
      entry: properties === '' ? { value } : { value, metadata: baggageEntryMetadataFromString(properties) },
    };
  } catch {
    // A malformed percent-encoding spoils its own member only.
    return undefined;
  }
}
