// What a request says of itself, beside what the published instrumentation makes of the same request.
import { deepStrictEqual, strictEqual } from 'node:assert';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { clientAddress, serverAuthority } from '../../packages/node/src/http/authority.ts';
import { normalizedMethod } from '../../packages/node/src/http/method.ts';
import { SENSITIVE_QUERY_PARAMETERS } from '../../packages/node/src/http/query.ts';
import { parseRequestTarget } from '../../packages/node/src/http/request-target.ts';

const require = createRequire(import.meta.url);

/** The function of the published instrumentation that makes attributes of an incoming request. */
const theirs: (
  request: Partial<IncomingMessage>,
  options: object,
  logger: object,
) => Record<string, unknown> =
  require('@opentelemetry/instrumentation-http/build/src/utils.js').getIncomingRequestAttributes;

const redacted = new Set(SENSITIVE_QUERY_PARAMETERS);
const socket = { remoteAddress: '192.0.2.1', remotePort: 4711 };

function request(url: string, headers: IncomingHttpHeaders = {}, method = 'GET'): IncomingMessage {
  return { url, headers: { host: 'shop.example', ...headers }, method, socket } as IncomingMessage;
}

function theirAttributes(incoming: IncomingMessage): Record<string, unknown> {
  return theirs(incoming, { component: 'http', enableSyntheticSourceDetection: false }, { verbose() {} });
}

/** Text of pieces that mean something to somebody who parses it. */
const textOf = (...pieces: string[]): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })), { maxLength: 12 })
    .map((all) => all.join(''));

describe('attributes of an incoming request, beside the published instrumentation', () => {
  it('url.path and url.query of any target', () => {
    const pieces = [
      '/',
      '//',
      '.',
      '..',
      '?',
      '&',
      '=',
      '+',
      '%',
      '%2e',
      '%2E',
      '%20',
      '#',
      '\\',
      ';',
      ':',
      '@',
      '*',
    ];
    const names = ['a', 'sig', 'Signature', 'X-Amz-Credential', 'é', ' ', '\t', '"', '<', '{', '|', '^', '~'];
    fc.assert(
      fc.property(textOf(...pieces, ...names), (rest) => {
        const target = `/${rest}`;
        const attributes = theirAttributes(request(target));
        const { path, query } = parseRequestTarget(target, redacted);
        deepStrictEqual([path, query], [attributes['url.path'], attributes['url.query']]);
      }),
      { numRuns: 5000 },
    );
  });

  it('server.address, server.port and client.address of any forwarding headers', () => {
    const pieces = [
      'for=',
      'host=',
      'proto=',
      'by=',
      ';',
      ',',
      ', ',
      '"',
      '\\',
      '=',
      '[',
      ']',
      ':',
      '::1',
      '_hidden',
    ];
    const values = [
      '192.0.2.43',
      'shop.example',
      ':8080',
      'http',
      'https',
      'For=',
      'HOST=',
      '"[2001:db8::1]:80"',
    ];
    // Node's parser takes the white space around a field off (RFC 9110, 5.5). Theirs refuses `Forwarded: for=a `,
    // which ours takes and no request can bring.
    const field = textOf(...pieces, ...values).map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ''));
    const header = fc.option(field, { nil: undefined });
    fc.assert(
      fc.property(header, header, header, (forwarded, forwardedHost, forwardedFor) => {
        const headers = {
          ...(forwarded !== undefined && { forwarded }),
          ...(forwardedHost !== undefined && { 'x-forwarded-host': forwardedHost }),
          ...(forwardedFor !== undefined && { 'x-forwarded-for': forwardedFor }),
        };
        const incoming = request('/', headers);
        const attributes = theirAttributes(incoming);
        const authority = serverAuthority(incoming.headers, 'http');
        strictEqual(authority?.address, attributes['server.address']);
        // Theirs passes on what no port can be.
        const port = attributes['server.port'] as number;
        strictEqual(authority?.port, Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined);
        strictEqual(clientAddress(incoming), attributes['client.address']);
      }),
      { numRuns: 5000 },
    );
  });

  it('http.request.method of any method', () => {
    const known = ['GET', 'get', 'Post', 'QUERY', 'PATCH', 'PROPFIND', 'CONNECT', 'TRACE'];
    fc.assert(
      fc.property(fc.oneof(fc.constantFrom(...known), fc.string({ minLength: 1 })), (method) => {
        strictEqual(
          normalizedMethod(method),
          theirAttributes(request('/', {}, method))['http.request.method'],
        );
      }),
    );
  });

  it('a Host header that is no host costs no path', () => {
    strictEqual(parseRequestTarget('/a/../b', redacted).path, '/b');
    deepStrictEqual(serverAuthority({ host: 'not a host:x' }, 'http'), {
      address: 'not a host',
      port: undefined,
    });
  });
});
