import type { ClientRequest } from 'node:http';

/** The parts of a request that Node keeps to itself and that packages have relied on since its first releases. */
interface Rendered {
  /** The head as text, once it is fixed; `null` before. */
  _header: string | null;
  /** Whether the head has been handed on to be sent. */
  readonly _headerSent: boolean;
  /** What waits for a connection. */
  readonly outputData: { data: unknown }[];
}

/**
 * Adds a header to a request that was just created, replacing one of that name.
 *
 * Two kinds of requests have their head rendered by then, and nothing of it sent yet: those whose headers
 * were given as an array, and those that expect a `100 Continue`. Theirs is put into the text. If Node ever
 * keeps it otherwise, such a request goes out without the header.
 */
export function addHeader(request: ClientRequest, name: string, value: string): void {
  if (!request.headersSent) {
    request.setHeader(name, value);
    return;
  }
  const rendered = request as unknown as Rendered;
  const head = rendered._header;
  if (typeof head !== 'string' || !head.endsWith('\r\n\r\n') || /[\r\n]/.test(value)) return;
  const longer = `${head.slice(0, -2)}${name}: ${value}\r\n\r\n`;
  if (rendered._headerSent) {
    const first = rendered.outputData?.[0];
    if (first === undefined || typeof first.data !== 'string' || !first.data.startsWith(head)) return;
    first.data = longer + first.data.slice(head.length);
  }
  rendered._header = longer;
}
