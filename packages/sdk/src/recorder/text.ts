/** The beginning of a text, at most so many UTF-16 units and never half a surrogate pair. */
export function truncate(text: string, units: number): string {
  if (text.length <= units) return text;
  const last = text.charCodeAt(units - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff && isLowSurrogate(text.charCodeAt(units));
  return text.slice(0, splitsPair ? units - 1 : units);
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

// Without a prototype it is a hash table from the start, which no name gives a new hidden class.
const names = Object.create(null) as Record<string, 0>;

/**
 * The same text as a name of a property. Such a text is one of its own, where one cut out of another may keep
 * that other one alive, however large; and two equal ones are the same, so that comparing them is quick.
 */
export function unsliced(text: string): string {
  names[text] = 0;
  const name = Object.keys(names)[0]!;
  delete names[text];
  return name;
}
