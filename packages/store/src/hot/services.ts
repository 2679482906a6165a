import { ByteDictionary, DICTIONARY_FULL } from './byte-dictionary.ts';

/** The service of a record whose resource has no `service.name`; the name that OpenTelemetry gives it too. */
export const UNKNOWN_SERVICE = 'unknown_service';

const UNKNOWN_SERVICE_BYTES = Buffer.from(UNKNOWN_SERVICE);
const NOTHING = new Uint8Array(0);

/** How many services get a number of their own. */
export const MAX_SERVICES = 0xffff;
const MAX_NAME_BYTES = 1024;
const MAX_BYTES = 16 << 20;
// The group of names, and of the one entry that has none.
const NAMED = 0;
const UNNAMED = 1;

/**
 * Numbers services by their names. Names come from outside, so there is a bound; number 0 stands for all that found
 * no room, which a filter never rules out by its number and decides on the decoded record.
 */
export class Services {
  readonly #names = new ByteDictionary(MAX_SERVICES + 1, MAX_BYTES);

  constructor() {
    this.#names.add(UNNAMED, NOTHING, 0, 0);
  }

  /** How many numbers there are; all are below it. */
  get size(): number {
    return this.#names.size;
  }

  /** The number of a service by the UTF-8 bytes of its name; `start` is -1 if the resource has none. */
  number(bytes: Uint8Array, start: number, end: number): number {
    if (start < 0) return this.#add(UNKNOWN_SERVICE_BYTES, 0, UNKNOWN_SERVICE_BYTES.length);
    return end - start > MAX_NAME_BYTES ? 0 : this.#add(bytes, start, end);
  }

  #add(bytes: Uint8Array, start: number, end: number): number {
    const number = this.#names.add(NAMED, bytes, start, end);
    return number === DICTIONARY_FULL ? 0 : number;
  }

  /** A service's name; `undefined` for the number that stands for several. */
  name(service: number): string | undefined {
    return service === 0 ? undefined : this.#names.text(service);
  }

  /** The bytes of a service's name as they came, to be saved; `undefined` for the number that stands for several. */
  bytesOf(service: number): Uint8Array | undefined {
    return service === 0 ? undefined : this.#names.bytes(service);
  }

  /** The number of what {@link Services.bytesOf} returned. */
  fromBytes(name: Uint8Array | undefined): number {
    return name === undefined ? 0 : this.number(name, 0, name.length);
  }

  /** Which services a name may mean, one byte each: 0 rules one out. */
  select(name: string): Uint8Array {
    const selected = new Uint8Array(this.size);
    for (let service = 0; service < selected.length; service++) {
      const known = this.name(service);
      if (known === undefined || known === name) selected[service] = 1;
    }
    return selected;
  }
}
