// Which of the packages that setup installed can be removed without removing others.
import type { SetupHost } from '../../host/install/setup-host.ts';

/** The packages that no other installed package needs, according to apt. */
export async function findRemovablePackages(
  host: SetupHost,
  names: readonly string[],
): Promise<string[]> {
  if (names.length === 0) return [];
  const removedWith = async (...asked: string[]) => {
    const simulation = await host.run(['apt-get', '--simulate', 'remove', ...asked]);
    // If apt cannot answer, the packages stay.
    return simulation.status === 0 ? parseRemovals(simulation.stdout) : ['?'];
  };
  const all = await removedWith(...names);
  if (all.every((name) => names.includes(name))) return [...names];
  const removedWithEach = new Map<string, readonly string[]>();
  for (const name of names) removedWithEach.set(name, await removedWith(name));
  return independentPackages(names, removedWithEach);
}

/** The `Remv` lines of a simulation. */
export function parseRemovals(text: string): string[] {
  return [...text.matchAll(/^Remv ([^\s:]+)/gm)].map((match) => match[1] ?? '');
}

/** Repeatedly excludes packages whose removal would also remove one that stays. */
export function independentPackages(
  names: readonly string[],
  removedWithEach: ReadonlyMap<string, readonly string[]>,
): string[] {
  const free = names.filter((name) =>
    (removedWithEach.get(name) ?? []).every((other) => names.includes(other)),
  );
  return free.length === names.length ? free : independentPackages(free, removedWithEach);
}
