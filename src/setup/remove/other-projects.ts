// Other Incus projects: coi works only in the default project, but pools, bridges and ids are shared by all. Pure.
import type { Instance, Network, StoragePool } from '../../incus/shapes.ts';
import { sessionRecord } from '../../session/record/instance-record.ts';

const defaultProject = 'default';

/** An instance of another project. */
export interface ForeignInstance {
  readonly project: string;
  readonly name: string;
  /** It has coi's keys, so it was moved or copied there. */
  readonly session: boolean;
}

export interface OtherProjects {
  readonly sessions: readonly ForeignInstance[];
  /** Users of what setup created, with what they use of it. */
  readonly users: readonly { readonly who: string; readonly uses: readonly string[] }[];
}

export const noOtherProjects: OtherProjects = { sessions: [], users: [] };

/** `instances`: the instances of all projects. */
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
  /** Setup gave root id ranges, which every container needs. */
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

/** Parses an entry of `used_by`: an API path, with the project if it is not the default one. */
export function parseUser(path: string): {
  readonly path: string;
  readonly isOther: boolean;
  readonly text: string;
} {
  const [apiPath = path, query = ''] = path.split('?');
  const project = new URLSearchParams(query).get('project') ?? undefined;
  const what = apiPath.replace(/^\/1\.0\//, '').replace(/^(images\/.{12}).*/, '$1');
  return { path: apiPath, isOther: isOtherProject(project), text: withProject(what, project) };
}

function withProject(what: string, project: string | undefined): string {
  return isOtherProject(project) ? `${what} (project ${project})` : what;
}
