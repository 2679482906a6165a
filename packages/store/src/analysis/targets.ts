/** What a span calls that records no spans itself. */
export interface Target {
  readonly kind: 'database' | 'messaging' | 'external';
  /** `postgresql`, `kafka`, `grpc` …; empty if the span does not say. */
  readonly system: string;
  /** The database, the queue or topic, or the address; empty if the span does not say. */
  readonly name: string;
}

/**
 * The attributes that say what a span calls: for each the name in the present semantic conventions, then those
 * before it.
 *
 * Source: https://opentelemetry.io/docs/specs/semconv/registry/attributes/
 */
export const TARGET_KEYS = [
  'db.system.name',
  'db.system',
  'db.namespace',
  'db.name',
  'messaging.system',
  'messaging.destination.name',
  'messaging.destination',
  'gen_ai.provider.name',
  'gen_ai.system',
  'rpc.system',
  'peer.service',
  'server.address',
  'net.peer.name',
] as const;

/** Values of {@link TARGET_KEYS}, in their order; `undefined` where a span has none. */
export type TargetValues = readonly (string | undefined)[];

// Names come from outside; those that find no room are counted together.
const MAX_TARGETS = 4096;
const OTHERS: Target = { kind: 'external', system: '', name: '(others)' };

/** Numbers targets from 1; 0 is none. */
export class Targets {
  readonly #numbers = new Map<string, number>();
  readonly #targets: Target[] = [];

  /** The number of what a span with these values calls; 0 if they do not tell. */
  number(values: TargetValues): number {
    const target = targetOf(values);
    if (target === undefined) return 0;
    const key = `${target.kind}\0${target.system}\0${target.name}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.#targets.length === MAX_TARGETS) return MAX_TARGETS + 1;
    const number = this.#targets.push(target);
    this.#numbers.set(key, number);
    return number;
  }

  /** The target of a number. */
  get(number: number): Target {
    return this.#targets[number - 1] ?? OTHERS;
  }
}

function targetOf(values: TargetValues): Target | undefined {
  const [dbSystem, dbSystemBefore, namespace, dbName, messaging, destination, destinationBefore] = values;
  const [genAi, genAiBefore, rpc, peer, address, addressBefore] = values.slice(7);
  const at = peer ?? address ?? addressBefore;
  const database = dbSystem ?? dbSystemBefore;
  if (database !== undefined) {
    return { kind: 'database', system: database, name: namespace ?? dbName ?? at ?? '' };
  }
  if (messaging !== undefined) {
    return { kind: 'messaging', system: messaging, name: destination ?? destinationBefore ?? at ?? '' };
  }
  const provider = genAi ?? genAiBefore;
  if (provider !== undefined) return { kind: 'external', system: provider, name: at ?? provider };
  return at === undefined ? undefined : { kind: 'external', system: rpc ?? '', name: at };
}
