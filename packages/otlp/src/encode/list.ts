import { checkArray, checkObject, inside } from './checks.ts';
import type { Writer } from './writer.ts';

/** Appends each element of a repeated message. An error names the list and the element. */
export function writeList<Type>(
  writer: Writer,
  at: number,
  list: readonly Type[],
  name: string,
  writeElement: (writer: Writer, at: number, element: Type) => number,
): number {
  checkArray(list, name);
  let end = at;
  for (let index = 0; index < list.length; index++) {
    try {
      checkObject(list[index], '');
      end = writeElement(writer, end, list[index]!);
    } catch (error) {
      throw inside(`${name}[${index}]`, error);
    }
  }
  return end;
}
