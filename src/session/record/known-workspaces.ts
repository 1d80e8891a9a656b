// The directories in which agents have worked, as the user's home tells it: what lies there may be theirs.
import type { HostFiles } from '../../host/fs/host-files.ts';
import { storedSessions } from '../store/saved-sessions.ts';
import { readAliases } from './aliases.ts';

/**
 * The workspaces of sessions that are stored in the home, ended or not, and of aliases: each under its names. Not what
 * holds the home itself (older versions took it): who has worked there has all of the user's own files anyway.
 */
export function knownWorkspaces(home: string, files: HostFiles): string[][] {
  const stored = storedSessions({ home }, files).flatMap((entry) => {
    if (entry.kind !== 'saved') return [];
    const { workspace, realWorkspace } = entry.metadata;
    return [[workspace, realWorkspace].filter((path) => path !== undefined)];
  });
  const aliased = Object.values(readAliases(home, files)).map(({ workspace }) => [workspace]);
  const homes = [home, files.realPath(home) ?? home];
  const isApart = (path: string) =>
    !homes.some((one) => one === path || one.startsWith(path === '/' ? path : `${path}/`));
  return eachOnce([...stored, ...aliased].map((names) => names.filter(isApart)));
}

/** Sessions of one workspace are many. */
export function eachOnce(groups: readonly (readonly string[])[]): string[][] {
  const found = groups.filter((group) => group.length > 0).map((group) => [...group]);
  return [...new Map(found.map((group) => [JSON.stringify(group), group])).values()];
}
