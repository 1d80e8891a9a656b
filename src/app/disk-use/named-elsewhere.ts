// The images and storage pools that somebody names: this user's configuration, that of the project at hand, and those of the projects elsewhere
// of which aliases, containers and saved sessions tell.
import { namesUsedIn } from '../../config/names-used.ts';
import { profileNames } from '../../config/profile-files.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { answeringPaths } from '../../host/fs/meta/answers.ts';
import type { WorkspacePath } from '../../names.ts';
import { readAliases } from '../../session/record/aliases.ts';
import { type Container, workspaceOf } from '../../session/record/instance-record.ts';
import { type StoredEntry, storedSessions } from '../../session/store/saved-sessions.ts';
import { answeringWorkspace } from '../answering-workspace.ts';
import { config } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import { placesIn } from '../places.ts';
import type { ConfigurationRequest, SessionTarget } from '../requests.ts';

export interface NamedImages {
  readonly named: ReadonlySet<string>;
  /** What may name some and cannot be read. */
  readonly unread: readonly string[];
}

/** A few opens for each. */
const workspacesMax = 1000;
const answerMs = 2000;

export async function namedImages(
  app: AppContext,
  request: SessionTarget & ConfigurationRequest,
  containers: readonly Container[],
): Promise<NamedImages> {
  const workspace = answeringWorkspace(app, request.workspace);
  const { images, unread } = await namedElsewhere(app, workspace, containers);
  return { named: new Set([...(await namedHere(app, request, workspace)), ...images]), unread };
}

export interface NamedElsewhere extends Pick<NamedImages, 'unread'> {
  readonly images: readonly string[];
  readonly pools: readonly string[];
}

/** In other workspaces than that one. */
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
  const answers = answeringPaths(answerMs);
  for (const path of [...all].slice(0, workspacesMax)) {
    app.signal.throwIfAborted();
    const found =
      path.startsWith('/') && (await answers(path)) ? namesUsedIn(path, hostFiles) : undefined;
    images.push(...(found?.images ?? []));
    pools.push(...(found?.pools ?? []));
    if (!found?.complete) unread.push(path);
  }
  return { images, pools, unread };
}

/** What holds here, with each of the profiles. */
async function namedHere(
  app: AppContext,
  request: SessionTarget & ConfigurationRequest,
  workspace: WorkspacePath,
): Promise<Set<string>> {
  const places = placesIn(app, workspace);
  const profiles = [undefined, ...profileNames(places, hostFiles).map(({ name }) => name)];
  const settings = profiles.map((profile) => config(app, { ...request, profile }, workspace));
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
    // Damaged: nobody knows which workspaces were in it.
    if (error instanceof CoiError) return { workspaces: [], unread: [`${home}/.coi/aliases.json`] };
    throw error;
  }
}

function storedWorkspace(entry: StoredEntry): string[] {
  return entry.kind === 'saved' && entry.metadata.workspace ? [entry.metadata.workspace] : [];
}
