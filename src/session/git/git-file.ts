// Git files that contain one path: `.git`, `commondir`, `gitdir`. Pure. An agent may have written up to 1 MiB of anything,
// so regular expressions with quadratic run time on long runs of spaces are avoided (minutes for 100 KB).

/** Maximum path length, for the kernel and git. */
export const pathMax = 4095;

/** The path in a file `.git`; undefined if git would not find one. */
export function gitFileTarget(text: string | undefined): string | undefined {
  const start = 'gitdir: ';
  if (!text?.startsWith(start)) return undefined;
  const target = lineOf(text.slice(start.length));
  return target === '' || target.length > pathMax ? undefined : target;
}

/** As git reads it: up to a NUL, without trailing newlines. */
export function lineOf(text: string): string {
  const [line = ''] = text.split('\0', 1);
  return withoutEnd(line, '\r\n');
}

/** Removes trailing characters. */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
