import { TracewellError } from '@tracewell/plugin';

const NEXT = 'check that the sender speaks OTLP and that nothing cut or changed the message on its way';

/** For bytes that are not what they should be; `offset` counts from the start of the array. */
export function invalidAt(offset: number, why: string): TracewellError {
  return new TracewellError('TW_DECODE_INVALID', `Invalid OTLP protobuf at byte ${offset}: ${why}; ${NEXT}`);
}

/** For JSON that is not what it should be; `path` leads to the place. */
export function invalidJson(path: string, why: string, cause?: unknown): TracewellError {
  const where = path === '' ? '' : ` at ${path}`;
  return new TracewellError('TW_DECODE_INVALID', `Invalid OTLP JSON${where}: ${why}; ${NEXT}`, { cause });
}

/** For values nested deeper than the limit. */
export function tooDeep(where: string, maxDepth: number): TracewellError {
  return new TracewellError(
    'TW_DECODE_TOO_DEEP',
    `OTLP value at ${where} is nested deeper than ${maxDepth} levels; raise maxDepth if the sender is trusted`,
  );
}

/** For messages that are larger, or would become larger in memory, than the limit. */
export function tooLarge(what: string, limit: string, max: number): TracewellError {
  return new TracewellError(
    'TW_DECODE_TOO_LARGE',
    `OTLP message has ${what}, the limit is ${max}; send smaller requests, or raise ${limit} if the sender is trusted`,
  );
}
