// Images and storage pools in use by configurations: of this user, of this project, and of other projects, which are known
// from aliases, containers and saved sessions.

import { listProfiles } from '../../config/profile-files.ts';
import { referencedNames } from '../../config/referenced-names.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { responsiveCheck } from '../../host/fs/meta/hung-mounts.ts';
import type { WorkspacePath } from '../../names.ts';
import { readAliases } from '../../session/record/aliases.ts';
import { type Container, workspaceOf } from '../../session/record/instance-record.ts';
import { type StoredEntry, storedSessions } from '../../session/store/saved-sessions.ts';
import { configPaths } from '../config-paths.ts';
import { loadRequestConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { ConfigurationRequest, SessionTarget } from '../requests.ts';
import { resolveWorkspace } from '../resolve-workspace.ts';

export interface NamedImages {
  readonly named: ReadonlySet<string>;
  /** Unreadable configurations that may name more. */
  readonly unread: readonly string[];
}

/** Each takes a few opens. */
const workspacesMax = 1000;
const answerMs = 2000;

export async function namedImages(
  app: AppContext,
  request: SessionTarget & ConfigurationRequest,
  containers: readonly Container[],
): Promise<NamedImages> {
  const workspace = resolveWorkspace(app, request.workspace);
  const { images, unread } = await namedElsewhere(app, workspace, containers);
  return { named: new Set([...(await namedHere(app, request, workspace)), ...images]), unread };
}

export interface NamedElsewhere extends Pick<NamedImages, 'unread'> {
  readonly images: readonly string[];
  readonly pools: readonly string[];
}

/** Names in all workspaces but that one. */
export async function namedElsewhere(
  app: AppContext,
  workspace: WorkspacePath,
  containers: readonly Container[],
): Promise<NamedElsewhere> {
  const aliases = aliasWorkspaces(app.user.home);
  const all = new Set<string>([
    ...aliases.workspaces,
    ...containers.flatMap((container) => workspaceOf(container) ?? []),
    ...storedSessions({ home: app.user.home }, hostFiles).flatMap(storedWorkspace),
  ]);
  all.delete(workspace);
  const unread = [...aliases.unread];
  const images: string[] = [];
  const pools: string[] = [];
  if (all.size > workspacesMax) unread.push(`more than ${workspacesMax} workspaces`);
  const answers = responsiveCheck(answerMs);
  for (const path of [...all].slice(0, workspacesMax)) {
    app.signal.throwIfAborted();
    const found =
      path.startsWith('/') && (await answers(path)) ? referencedNames(path, hostFiles) : undefined;
    images.push(...(found?.images ?? []));
    pools.push(...(found?.pools ?? []));
    if (!found?.complete) unread.push(path);
  }
  return { images, pools, unread };
}

/** Names in this workspace, with each of the profiles. */
async function namedHere(
  app: AppContext,
  request: SessionTarget & ConfigurationRequest,
  workspace: WorkspacePath,
): Promise<Set<string>> {
  const paths = configPaths(app, workspace);
  const profiles = [undefined, ...listProfiles(paths, hostFiles).map(({ name }) => name)];
  const settings = profiles.map((profile) =>
    loadRequestConfig(app, { ...request, profile }, workspace),
  );
  const found = await Promise.all(settings);
  return new Set(
    found.flatMap((one) =>
      [one.settings['container.image'], one.settings['container.build.base'] ?? []].flat(),
    ),
  );
}

function aliasWorkspaces(home: string): {
  workspaces: readonly string[];
  unread: readonly string[];
} {
  try {
    const aliases = Object.values(readAliases(home, hostFiles));
    return { workspaces: aliases.map(({ workspace }) => workspace), unread: [] };
  } catch (error) {
    // Damaged: its workspaces are unknown.
    if (error instanceof CoiError) return { workspaces: [], unread: [`${home}/.coi/aliases.json`] };
    throw error;
  }
}

function storedWorkspace(entry: StoredEntry): string[] {
  return entry.kind === 'saved' && entry.metadata.workspace ? [entry.metadata.workspace] : [];
}
