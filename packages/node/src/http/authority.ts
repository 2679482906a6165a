import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { parseForwarded } from './forwarded.ts';

/** `server.address` and `server.port`. */
export interface Authority {
  readonly address: string;
  readonly port: number | undefined;
}

/**
 * Which host and port a client meant: from `Forwarded`, `X-Forwarded-Host` or `Host`, in this order.
 *
 * @returns `undefined` if none of them is there
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/#setting-serveraddress-and-serverport-attributes
 */
export function serverAuthority(headers: IncomingHttpHeaders, scheme: string): Authority | undefined {
  const { forwarded } = headers;
  if (forwarded !== undefined) {
    for (const element of parseForwarded(forwarded)) {
      if (element.host) return parseAuthority(element.host, element.proto);
    }
  }
  const forwardedHost = headers['x-forwarded-host'];
  if (typeof forwardedHost === 'string') {
    const proto = headers['x-forwarded-proto'];
    return parseAuthority(forwardedHost, typeof proto === 'string' ? proto : undefined);
  }
  const { host } = headers;
  return host === undefined || host === '' ? undefined : parseAuthority(host, scheme);
}

/**
 * The address of the client behind any proxies: from `Forwarded`, `X-Forwarded-For` or the connection, in
 * this order.
 */
export function clientAddress(request: IncomingMessage): string | undefined {
  const { headers } = request;
  const { forwarded } = headers;
  if (forwarded !== undefined) {
    for (const element of parseForwarded(forwarded)) {
      if (element.for) return withoutPort(element.for);
    }
  }
  const forwardedFor = headers['x-forwarded-for'];
  if (typeof forwardedFor === 'string' && forwardedFor !== '') {
    const comma = forwardedFor.indexOf(',');
    return withoutPort((comma === -1 ? forwardedFor : forwardedFor.slice(0, comma)).trim());
  }
  return request.socket.remoteAddress;
}

function parseAuthority(authority: string, scheme: string | undefined): Authority {
  const colon = authority.indexOf(':');
  if (colon === -1) return { address: authority, port: defaultPort(scheme) };
  if (authority.indexOf(':', colon + 1) === -1) return withPort(authority, colon);
  // More than one colon: an IPv6 address, which stays in its brackets.
  if (authority.startsWith('[')) {
    if (authority.endsWith(']')) return { address: authority, port: defaultPort(scheme) };
    const last = authority.lastIndexOf(':');
    if (authority[last - 1] === ']') return withPort(authority, last);
  }
  return { address: authority, port: undefined };
}

function withPort(authority: string, colon: number): Authority {
  const port = Number(authority.slice(colon + 1));
  // Whatever else a client may have sent there is no port.
  return {
    address: authority.slice(0, colon),
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined,
  };
}

function defaultPort(scheme: string | undefined): number | undefined {
  return scheme === 'http' ? 80 : scheme === 'https' ? 443 : undefined;
}

/** `192.0.2.1:80` and `[2001:db8::1]:80` without port and brackets; what is no address stays as it came. */
function withoutPort(node: string): string {
  const hostname = URL.parse(`http://${node}`)?.hostname;
  if (hostname === undefined) return node;
  return hostname.startsWith('[') && hostname.endsWith(']') ? hostname.slice(1, -1) : hostname;
}
