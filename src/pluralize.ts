/** `1 file`, `2 files`: for words with a plural in -s. Pure. */
export function pluralize(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
