import { REQUEST_RESOURCE_GROUPS, RESOURCE_GROUP_SCOPE_GROUPS } from '../wire/fields.ts';
import { asThrown } from './checks.ts';
import { type Entry, groupEntries } from './groups.ts';
import { Writer } from './writer.ts';

/**
 * Encodes entries as one request.
 *
 * @param name - what the entries are called in errors: `spans`
 * @param writeEntry - appends one of them as an entry of its scope group
 */
export function encodeRequest<Type extends Entry>(
  entries: Iterable<Type>,
  name: string,
  writeEntry: (writer: Writer, at: number, entry: Type) => number,
): Uint8Array {
  const groups = groupEntries(entries, name);
  const writer = new Writer();
  try {
    let end = 0;
    for (const resource of groups) {
      writer.room(end, 4)[end] = REQUEST_RESOURCE_GROUPS;
      const resourceStart = end + 4;
      end = writer.append(resourceStart, resource.head);
      for (const scope of resource.scopes.all()) {
        writer.room(end, 4)[end] = RESOURCE_GROUP_SCOPE_GROUPS;
        const scopeStart = end + 4;
        end = writer.append(scopeStart, scope.head);
        const { entries: ofScope } = scope;
        for (let index = 0; index < ofScope.length; index++) {
          try {
            end = writeEntry(writer, end, ofScope[index]!);
          } catch (error) {
            throw asThrown(`${name}[${scope.places[index]}]`, error);
          }
        }
        end = writer.close(scopeStart, end, 3);
      }
      end = writer.close(resourceStart, end, 3);
    }
    return writer.copy(end);
  } finally {
    writer.release();
  }
}
