// What other projects of Incus have: coi works in the default one alone, but pools, bridges and ids belong to all. Pure.
import type { Instance, Network, StoragePool } from '../../incus/shapes.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';

const defaultProject = 'default';

/** An instance of another project. */
export interface ForeignInstance {
  readonly project: string;
  readonly name: string;
  /** coi's own keys are in it: it was moved there, or copied. */
  readonly session: boolean;
}

export interface OtherProjects {
  readonly sessions: readonly ForeignInstance[];
  /** Each with what it uses of what setup made. */
  readonly users: readonly { readonly who: string; readonly uses: readonly string[] }[];
}

export const noOtherProjects: OtherProjects = { sessions: [], users: [] };

/** `instances`: of all projects. */
export function foreignInstances(instances: readonly Instance[]): ForeignInstance[] {
  return instances
    .filter(({ project }) => isOtherProject(project))
    .map(({ project, name, config }) => ({
      project,
      name,
      session: sessionRecord(config) !== undefined,
    }));
}

export function isOtherProject(project: string | undefined): boolean {
  return project !== undefined && project !== '' && project !== defaultProject;
}

export interface SharedResources {
  readonly foreign: readonly ForeignInstance[];
  readonly pool: StoragePool | undefined;
  readonly bridge: Network | undefined;
  /** Every container needs ids that root may give. */
  readonly ids: boolean;
}

export function findOtherProjects({ foreign, pool, bridge, ids }: SharedResources): OtherProjects {
  const uses = new Map<string, string[]>();
  const add = (who: string, what: string) => uses.set(who, [...(uses.get(who) ?? []), what]);
  const others = (paths: readonly string[] = []) =>
    paths.map(parseUser).filter((one) => one.isOther);
  for (const { text } of others(bridge?.used_by)) add(text, `the bridge ${bridge?.name}`);
  for (const { text } of others(pool?.used_by)) add(text, `the storage pool "${pool?.name}"`);
  for (const { project, name } of ids ? foreign : [])
    add(withProject(`instances/${name}`, project), 'ids of root');
  return {
    sessions: foreign.filter(({ session }) => session),
    users: [...uses].map(([who, what]) => ({ who, uses: what })),
  };
}

/** An entry of `used_by`: a path of the API, with the project where it is not the usual one. */
export function parseUser(path: string): {
  readonly path: string;
  readonly isOther: boolean;
  readonly text: string;
} {
  const [place = path, query = ''] = path.split('?');
  const project = new URLSearchParams(query).get('project') ?? undefined;
  const what = place.replace(/^\/1\.0\//, '').replace(/^(images\/.{12}).*/, '$1');
  return { path: place, isOther: isOtherProject(project), text: withProject(what, project) };
}

function withProject(what: string, project: string | undefined): string {
  return isOtherProject(project) ? `${what} (project ${project})` : what;
}
