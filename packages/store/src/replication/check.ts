import { checkFields, wrongType } from '../query/check.ts';
import { shown } from '../shown.ts';
import { checkTailName } from '../tails/tails.ts';
import type { ReplicationOptions } from './leader.ts';

const CALLER = 'openStore';
const FIELDS: ReadonlySet<string> = new Set<keyof ReplicationOptions>([
  'sinks',
  'requiredAcks',
  'ackTimeoutMs',
]);

/** Checks the option `replication` of a store. @throws TypeError, RangeError naming what is none */
export function checkReplicationOptions(replication: ReplicationOptions): void {
  checkFields(CALLER, 'replication', replication, FIELDS);
  const { sinks, requiredAcks = 1, ackTimeoutMs = 1, retainBytes = 0 } = replication;
  if (!Array.isArray(sinks)) throw wrongType(CALLER, 'replication.sinks', 'an array of sinks', sinks);
  const names = new Set<string>();
  for (const sink of sinks) {
    if (typeof sink?.applyFramedWal !== 'function' || typeof sink.walPosition !== 'function') {
      throw wrongType(CALLER, 'replication.sinks', 'an array of sinks', sink);
    }
    checkTailName(`standby-${sink.name}`);
    if (names.has(sink.name)) throw new RangeError(`${CALLER}: two sinks have the name ${sink.name}`);
    names.add(sink.name);
  }
  if (!Number.isInteger(requiredAcks) || requiredAcks < 0 || requiredAcks > sinks.length) {
    throw new RangeError(
      `${CALLER}: replication.requiredAcks must be a whole number from 0 to ${sinks.length}, the number of sinks, got ${shown(requiredAcks)}`,
    );
  }
  if (!Number.isInteger(ackTimeoutMs) || ackTimeoutMs < 1 || ackTimeoutMs > 3_600_000) {
    throw new RangeError(
      `${CALLER}: replication.ackTimeoutMs must be a whole number from 1 to 3600000, got ${shown(ackTimeoutMs)}`,
    );
  }
  if (!Number.isSafeInteger(retainBytes) || retainBytes < 0) {
    throw new RangeError(
      `${CALLER}: replication.retainBytes must be a whole number from 0, got ${shown(retainBytes)}`,
    );
  }
}
