// What other projects of Incus have: coi works in the default one alone, but pools, bridges and ids belong to all. Pure.
import type { Instance, Network, StoragePool } from '../../incus/shapes.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';

const usual = 'default';

/** An instance of another project. */
export interface Stranger {
  readonly project: string;
  readonly name: string;
  /** coi's own keys are in it: it was moved there, or copied. */
  readonly session: boolean;
}

export interface Elsewhere {
  readonly sessions: readonly Stranger[];
  /** Each with what it uses of what setup made. */
  readonly users: readonly { readonly who: string; readonly uses: readonly string[] }[];
}

export const nothingElsewhere: Elsewhere = { sessions: [], users: [] };

/** `instances`: of all projects. */
export function strangersOf(instances: readonly Instance[]): Stranger[] {
  return instances
    .filter(({ project }) => isOther(project))
    .map(({ project, name, config }) => ({
      project,
      name,
      session: sessionRecord(config) !== undefined,
    }));
}

export function isOther(project: string | undefined): boolean {
  return project !== undefined && project !== '' && project !== usual;
}

export interface Shared {
  readonly strangers: readonly Stranger[];
  readonly pool: StoragePool | undefined;
  readonly bridge: Network | undefined;
  /** Every container needs ids that root may give. */
  readonly ids: boolean;
}

export function elsewhere({ strangers, pool, bridge, ids }: Shared): Elsewhere {
  const uses = new Map<string, string[]>();
  const add = (who: string, what: string) => uses.set(who, [...(uses.get(who) ?? []), what]);
  const others = (paths: readonly string[] = []) => paths.map(userOf).filter((one) => one.isOther);
  for (const { text } of others(bridge?.used_by)) add(text, `the bridge ${bridge?.name}`);
  for (const { text } of others(pool?.used_by)) add(text, `the storage pool "${pool?.name}"`);
  for (const { project, name } of ids ? strangers : [])
    add(named(`instances/${name}`, project), 'ids of root');
  return {
    sessions: strangers.filter(({ session }) => session),
    users: [...uses].map(([who, what]) => ({ who, uses: what })),
  };
}

/** An entry of `used_by`: a path of the API, with the project where it is not the usual one. */
export function userOf(path: string): {
  readonly path: string;
  readonly isOther: boolean;
  readonly text: string;
} {
  const [place = path, query = ''] = path.split('?');
  const project = new URLSearchParams(query).get('project') ?? undefined;
  const what = place.replace(/^\/1\.0\//, '').replace(/^(images\/.{12}).*/, '$1');
  return { path: place, isOther: isOther(project), text: named(what, project) };
}

function named(what: string, project: string | undefined): string {
  return isOther(project) ? `${what} (project ${project})` : what;
}
