// Image aliases: one that moves, and one for each built version. Pure.

export const defaultImage = 'coi-default';
export const testImage = 'coi-test';

/** `coi-default-20260131-235959`, in the host's own time. */
export function versionAlias(alias: string, date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}${two(date.getMonth() + 1)}${two(date.getDate())}`;
  return `${alias}-${day}-${two(date.getHours())}${two(date.getMinutes())}${two(date.getSeconds())}`;
}

/** The names that are versions of this alias, newest first. */
export function versionsOf(alias: string, names: readonly string[]): string[] {
  return names
    .filter(
      (name) => name.startsWith(`${alias}-`) && /^\d{8}-\d{6}$/.test(name.slice(alias.length + 1)),
    )
    .sort()
    .reverse();
}
