// How a removal names several things. Pure.
import { counted } from '../../counted.ts';

const namesMax = 4;

/** `a, b, c, d, …` */
export function someOf(names: readonly string[]): string {
  return `${names.slice(0, namesMax).join(', ')}${names.length > namesMax ? ', …' : ''}`;
}

/** `3 images (a, b, c)` */
export function listed(what: string, names: readonly string[]): string {
  return `${counted(names.length, what)} (${someOf(names)})`;
}
