/** `1 file`, `2 files`: words whose plural has only an s more. Pure. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
