import { ByteDictionary, DICTIONARY_FULL } from '../byte-dictionary.ts';
import { MAX_SERVICES, Services } from '../services.ts';

const NOTHING = new Uint8Array(0);

// A bound, since some programs put an id into each name. What finds no room is numbered
// together as "another one", which a filter never rules out by its number and decides on the decoded span.
const MAX_OPERATIONS = 1 << 17;
const MAX_NAME_BYTES = 1024;
const MAX_BYTES = 16 << 20;
// Marks the group of an operation that stands for several. One such number for each service is always free.
const OTHER = 0x8000_0000;
const SPARE = MAX_SERVICES + 1;

/**
 * Numbers services, and operations: an operation is a span name within a service, so one number in a row
 * says both. Numbers hold for all segments of an open store and are not stored.
 */
export class Operations {
  readonly #services = new Services();
  // Grouped by service; with the bit OTHER on top for the names of that service that found no room.
  readonly #names: ByteDictionary;

  /** @param maxOperations - how many span names get a number of their own */
  constructor(maxOperations: number = MAX_OPERATIONS) {
    this.#names = new ByteDictionary(maxOperations + SPARE, MAX_BYTES);
  }

  /** How many operations there are; their numbers are below it. */
  get size(): number {
    return this.#names.size;
  }

  /** The number of a service by the UTF-8 bytes of its name; `start` is -1 if the resource has none. */
  service(bytes: Uint8Array, start: number, end: number): number {
    return this.#services.number(bytes, start, end);
  }

  /** The number of an operation by its service and the UTF-8 bytes of its name. */
  operation(service: number, bytes: Uint8Array, start: number, end: number): number {
    if (end - start <= MAX_NAME_BYTES) {
      const number = this.#names.add(service, bytes, start, end, SPARE);
      if (number !== DICTIONARY_FULL) return number;
    }
    return this.#names.add((OTHER | service) >>> 0, NOTHING, 0, 0);
  }

  /** The service of an operation. */
  serviceOf(operation: number): number {
    return (this.#names.group(operation) & ~OTHER) >>> 0;
  }

  /** A service's name; `undefined` for the number that stands for several. */
  serviceName(service: number): string | undefined {
    return this.#services.name(service);
  }

  /** An operation's name; `undefined` for the number that stands for several. */
  name(operation: number): string | undefined {
    return this.#names.group(operation) >= OTHER ? undefined : this.#names.text(operation);
  }

  /** The bytes of an operation's service and name as they came, to be saved; `undefined` where it stands for several. */
  bytesOf(operation: number): { service: Uint8Array | undefined; name: Uint8Array | undefined } {
    return {
      service: this.#services.bytesOf(this.serviceOf(operation)),
      name: this.#names.group(operation) >= OTHER ? undefined : this.#names.bytes(operation),
    };
  }

  /** The number of what {@link Operations.bytesOf} returned. */
  fromBytes(service: Uint8Array | undefined, name: Uint8Array | undefined): number {
    const number = this.#services.fromBytes(service);
    if (name !== undefined) return this.operation(number, name, 0, name.length);
    return this.#names.add((OTHER | number) >>> 0, NOTHING, 0, 0);
  }

  /**
   * Which operations a filter may mean, one byte each: 0 rules one out; `undefined` if it rules out none.
   * Those that stand for several are never ruled out.
   */
  select(service: string | undefined, name: string | undefined): Uint8Array | undefined {
    if (service === undefined && name === undefined) return undefined;
    const selected = new Uint8Array(this.size);
    const services = service === undefined ? undefined : this.#services.select(service);
    for (let operation = 0; operation < selected.length; operation++) {
      if (services !== undefined && services[this.serviceOf(operation)] === 0) continue;
      if (name === undefined) selected[operation] = 1;
      else {
        const known = this.name(operation);
        if (known === undefined || known === name) selected[operation] = 1;
      }
    }
    return selected;
  }
}
