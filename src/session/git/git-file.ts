// Files of git that hold one path: `.git`, `commondir`, `gitdir`. Pure. An agent may have written them, up to a megabyte: there is
// no pattern here that tries each blank of a long run as its beginning, which takes minutes for 100 KB.

/** No path is longer, for the kernel or for git. */
export const pathMax = 4095;

/** What the file `.git` names; undefined where git finds nothing in it. */
export function gitFileTarget(text: string | undefined): string | undefined {
  const start = 'gitdir: ';
  if (!text?.startsWith(start)) return undefined;
  const target = lineOf(text.slice(start.length));
  return target === '' || target.length > pathMax ? undefined : target;
}

/** As git reads it: up to a NUL, without the ends of lines. */
export function lineOf(text: string): string {
  const [line = ''] = text.split('\0', 1);
  return withoutEnd(line, '\r\n');
}

/** The text without any of those characters at its end. */
export function withoutEnd(text: string, characters: string): string {
  let end = text.length;
  while (end > 0 && characters.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}
