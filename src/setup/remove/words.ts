// How a removal names several things. Pure.
const namesMax = 4;

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** `a, b, c, d, …` */
export function someOf(names: readonly string[]): string {
  return `${names.slice(0, namesMax).join(', ')}${names.length > namesMax ? ', …' : ''}`;
}

/** `3 images (a, b, c)` */
export function listed(what: string, names: readonly string[]): string {
  return `${counted(names.length, what)} (${someOf(names)})`;
}
