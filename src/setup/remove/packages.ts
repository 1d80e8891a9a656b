// Which of the packages that setup installed can go without taking others along.
import type { SetupHost } from '../../host/install/setup-host.ts';

/** Those that nothing else needs which was installed since, as apt itself tells. */
export async function findRemovablePackages(
  host: SetupHost,
  names: readonly string[],
): Promise<string[]> {
  if (names.length === 0) return [];
  const along = async (...asked: string[]) => {
    const said = await host.run(['apt-get', '--simulate', 'remove', ...asked]);
    // What apt cannot tell of is left alone.
    return said.status === 0 ? parseRemovals(said.stdout) : ['?'];
  };
  const all = await along(...names);
  if (all.every((name) => names.includes(name))) return [...names];
  const takesAlong = new Map<string, readonly string[]>();
  for (const name of names) takesAlong.set(name, await along(name));
  return independentPackages(names, takesAlong);
}

/** The `Remv` lines of a simulation. */
export function parseRemovals(text: string): string[] {
  return [...text.matchAll(/^Remv ([^\s:]+)/gm)].map((match) => match[1] ?? '');
}

/** Whatever would take along what stays stays itself, until that changes nothing more. */
export function independentPackages(
  names: readonly string[],
  takesAlong: ReadonlyMap<string, readonly string[]>,
): string[] {
  const free = names.filter((name) =>
    (takesAlong.get(name) ?? []).every((other) => names.includes(other)),
  );
  return free.length === names.length ? free : independentPackages(free, takesAlong);
}
