/** A value that no caller should pass, made anew for every use. */
export interface HostileValue {
  readonly what: string;
  /** Too large or too deep to be made for every position: used where a value of any kind may stand. */
  readonly huge?: boolean;
  make(): unknown;
}

const refuse = (): never => {
  throw new Error('a hostile value was read');
};

/** A proxy that throws at whatever is done to it. */
function throwingProxy(target: object): object {
  const traps = Object.getOwnPropertyNames(Reflect).map((trap) => [trap, refuse]);
  return new Proxy(target, Object.fromEntries(traps) as ProxyHandler<object>);
}

function revokedProxy(target: object): object {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

function nested(depth: number, wrap: (inner: unknown) => unknown): unknown {
  let value: unknown = 'innermost';
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

function detachedBytes(): Uint8Array {
  const bytes = new Uint8Array(8);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

/** Says something else whenever it is asked. */
function fickle(): object {
  let reads = 0;
  return {
    get changing(): unknown {
      reads++;
      return reads % 2 === 1 ? 'x'.repeat(reads * 1000) : { reads };
    },
  };
}

function circularObject(): object {
  const value: Record<string, unknown> = { sound: 1 };
  value.self = value;
  return value;
}

function circularArray(): unknown[] {
  const value: unknown[] = [1];
  value.push(value);
  return value;
}

/** What the suite passes in every position of every operation. */
export const HOSTILE_VALUES: readonly HostileValue[] = [
  { what: 'undefined', make: () => undefined },
  { what: 'null', make: () => null },
  { what: 'true', make: () => true },
  { what: 'NaN', make: () => Number.NaN },
  { what: '-0', make: () => -0 },
  { what: '-1', make: () => -1 },
  { what: '1.5', make: () => 1.5 },
  { what: '2 ** 31', make: () => 2 ** 31 },
  { what: '2 ** 60', make: () => 2 ** 60 },
  { what: 'Infinity', make: () => Number.POSITIVE_INFINITY },
  { what: 'a negative bigint', make: () => -1n },
  { what: 'a bigint of 200 bits', make: () => 2n ** 200n },
  { what: 'a symbol', make: () => Symbol('hostile') },
  { what: 'an empty string', make: () => '' },
  { what: 'a lone surrogate', make: () => 'a\ud800z' },
  { what: 'a NUL', make: () => 'a\0z' },
  { what: 'hex digits of the wrong length', make: () => 'abc' },
  { what: 'an id of zeros', make: () => '0'.repeat(32) },
  { what: 'an id that is not hex', make: () => 'zz'.repeat(16) },
  { what: 'a string of 10 MB', huge: true, make: () => 'x'.repeat(10_000_000) },
  { what: 'a string of 4 MB in three-byte characters', huge: true, make: () => '\u20ac'.repeat(4_000_000) },
  { what: 'a function', make: () => refuse },
  {
    what: 'a class instance with private state',
    make: () =>
      new (class {
        #secret = 1;
        read() {
          return this.#secret;
        }
      })(),
  },
  { what: 'an empty object', make: () => ({}) },
  { what: 'an object without a prototype', make: () => Object.assign(Object.create(null), { sound: 1 }) },
  {
    what: 'an object of hostile values',
    make: () => ({ a: Symbol('a'), b: refuse, c: Number.NaN, d: undefined }),
  },
  {
    what: 'an object with a throwing getter',
    make: () => Object.defineProperty({ sound: 1 }, 'bad', { enumerable: true, get: refuse }),
  },
  {
    what: 'an object whose every conversion throws',
    make: () => ({
      toString: refuse,
      valueOf: refuse,
      toJSON: refuse,
      [Symbol.toPrimitive]: refuse,
      [Symbol.iterator]: refuse,
    }),
  },
  {
    what: 'an object with a throwing length',
    make: () => ({
      get length() {
        return refuse();
      },
    }),
  },
  { what: 'an object that changes while it is read', make: fickle },
  { what: 'a circular object', make: circularObject },
  { what: 'a circular array', make: circularArray },
  { what: 'objects nested 20,000 deep', huge: true, make: () => nested(20_000, (inner) => ({ inner })) },
  { what: 'arrays nested 20,000 deep', huge: true, make: () => nested(20_000, (inner) => [inner]) },
  { what: 'a proxy that throws', make: () => throwingProxy({}) },
  { what: 'a proxy of an array that throws', make: () => throwingProxy([1, 2]) },
  { what: 'a proxy of a function that throws', make: () => throwingProxy(() => 1) },
  { what: 'a revoked proxy', make: () => revokedProxy({}) },
  { what: 'a revoked proxy of an array', make: () => revokedProxy([]) },
  { what: 'an array with holes', make: () => Object.assign(new Array(100), { 50: 'sound' }) },
  {
    what: 'an array with a throwing element',
    make: () => Object.defineProperty(['sound'], 1, { enumerable: true, get: refuse }),
  },
  { what: 'an array of 50,000 elements', huge: true, make: () => new Array(50_000).fill(1) },
  {
    what: 'an array whose iterator throws',
    make: () => Object.assign([1, 2], { [Symbol.iterator]: refuse }),
  },
  { what: 'a Float64Array', make: () => new Float64Array([1, 2]) },
  { what: 'detached bytes', make: detachedBytes },
  { what: 'shared bytes', make: () => new Uint8Array(new SharedArrayBuffer(8)) },
  { what: 'an object that only looks like bytes', make: () => Object.create(Uint8Array.prototype) },
  { what: 'an ArrayBuffer', make: () => new ArrayBuffer(8) },
  { what: 'a DataView', make: () => new DataView(new ArrayBuffer(8)) },
  { what: 'a Map', make: () => new Map([['a', 1]]) },
  { what: 'a Set', make: () => new Set([1]) },
  { what: 'an invalid Date', make: () => new Date(Number.NaN) },
  { what: 'an Error', make: () => new Error('hostile') },
  { what: 'a promise', make: () => Promise.resolve(1) },
  { what: 'a String object', make: () => new String('boxed') },
  { what: 'a Number object', make: () => new Number(1) },
];
