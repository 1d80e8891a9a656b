// Formats lists of names. Pure.
import { pluralize } from '../../pluralize.ts';

const namesMax = 4;

/** `a, b, c, d, …` */
export function shortList(names: readonly string[]): string {
  return `${names.slice(0, namesMax).join(', ')}${names.length > namesMax ? ', …' : ''}`;
}

/** `3 images (a, b, c)` */
export function countedList(what: string, names: readonly string[]): string {
  return `${pluralize(names.length, what)} (${shortList(names)})`;
}
