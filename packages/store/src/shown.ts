/** What came, for the message about a wrong argument: with its type, so that `'5'` is told from `5`. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return 'a function';
    case 'object':
      if (value === null) return 'null';
      if (value instanceof Date)
        return Number.isNaN(value.getTime()) ? 'an invalid Date' : value.toISOString();
      return Array.isArray(value) ? 'an array' : 'an object';
    default:
      return String(value);
  }
}
