import type { ResourceData, ScopeData } from '@tracewell/plugin';
import { asThrown } from '../encode/checks.ts';
import { type Entry, groupEntries } from '../encode/groups.ts';
import { attributesJson } from './encode-attributes.ts';
import { type Json, textOrNothing, uint32OrNothing } from './encode-values.ts';

/** What the lists of a request are called. */
export interface JsonNames {
  readonly resourceGroups: string;
  readonly scopeGroups: string;
  readonly entries: string;
}

/**
 * Encodes entries as one request in JSON, on one line.
 *
 * @param name - what the entries are called in errors: `spans`
 */
export function encodeRequestJson<Type extends Entry>(
  entries: Iterable<Type>,
  name: string,
  names: JsonNames,
  entryJson: (entry: Type) => Json,
): string {
  const resourceGroups = Array.from(groupEntries(entries, name), ({ resource, scopes }) => ({
    resource: resourceJson(resource),
    [names.scopeGroups]: Array.from(scopes.all(), ({ scope, entries: ofScope, places }) => ({
      scope: scopeJson(scope),
      [names.entries]: ofScope.map((entry, index) => {
        try {
          return entryJson(entry);
        } catch (error) {
          throw asThrown(`${name}[${places[index]}]`, error);
        }
      }),
      schemaUrl: textOrNothing(scope.schemaUrl, 'schemaUrl'),
    })),
    schemaUrl: textOrNothing(resource.schemaUrl, 'schemaUrl'),
  }));
  return JSON.stringify({ [names.resourceGroups]: resourceGroups });
}

// That what they say can be encoded was found out when the entries were grouped.
function resourceJson(resource: ResourceData): Json {
  return {
    attributes: attributesJson(resource.attributes, 'attributes'),
    droppedAttributesCount: uint32OrNothing(resource.droppedAttributesCount, 'droppedAttributesCount'),
  };
}

function scopeJson(scope: ScopeData): Json {
  return {
    name: textOrNothing(scope.name, 'name'),
    version: textOrNothing(scope.version, 'version'),
    attributes: attributesJson(scope.attributes, 'attributes'),
    droppedAttributesCount: uint32OrNothing(scope.droppedAttributesCount, 'droppedAttributesCount'),
  };
}
