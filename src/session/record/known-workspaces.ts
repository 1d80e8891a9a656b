// Directories in which agents have worked, from records in the user's home. Agents may have written the files there.
import type { HostFiles } from '../../host/fs/host-files.ts';
import { storedSessions } from '../store/saved-sessions.ts';
import { readAliases } from './aliases.ts';

/**
 * Workspaces of stored sessions, ended or not, and of aliases, each with all its names. Excludes the home and directories
 * above it (older versions allowed them): an agent there could write all of the user's files anyway.
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
  return uniqueGroups([...stored, ...aliased].map((names) => names.filter(isApart)));
}

/** Removes duplicates: a workspace can have many sessions. */
export function uniqueGroups(groups: readonly (readonly string[])[]): string[][] {
  const found = groups.filter((group) => group.length > 0).map((group) => [...group]);
  return [...new Map(found.map((group) => [JSON.stringify(group), group])).values()];
}
