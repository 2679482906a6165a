import { checkFields, wrongType } from '../query/check.ts';
import { shown } from '../shown.ts';
import type { SearchOptions } from './search-index.ts';

const FIELDS: ReadonlySet<string> = new Set<keyof SearchOptions>(['attributes', 'index']);

/** Checks the option `search` of a store. @throws TypeError naming what is none */
export function checkSearchOptions(search: SearchOptions): void {
  checkFields('openStore', 'search', search, FIELDS);
  const { attributes, index } = search;
  if (index !== undefined && typeof index !== 'boolean') {
    throw new TypeError(`openStore: search.index must be true or false, got ${shown(index)}`);
  }
  if (attributes === undefined) return;
  if (!Array.isArray(attributes) || !attributes.every((key) => typeof key === 'string')) {
    throw wrongType('openStore', 'search.attributes', 'an array of strings', attributes);
  }
}
