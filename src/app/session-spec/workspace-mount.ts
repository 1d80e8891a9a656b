// Where a workspace goes in a container, and with it the directory of git that a worktree needs; says where git will not work.
import type { Settings } from '../../config/keys/table.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { pathFacts } from '../../host/fs/path-facts.ts';
import { defaultImage } from '../../image/versions.ts';
import { absoluteWorkspace, type WorkspacePath } from '../../names.ts';
import {
  commonMount,
  filtersMissing,
  type GitFacts,
  type GitPlace,
  gitPlace,
} from '../../session/git/place.ts';
import { linkBytesMax } from '../../session/git/worktree.ts';
import type { PlannedMount } from '../../session/plan/session-wish.ts';
import { workspaceTarget } from '../../session/plan/workspace.ts';
import type { AppContext } from '../context.ts';
import { type Place, type Workspace, workspaceRefusal } from '../workspace.ts';

type PlaceSettings = Pick<
  Settings,
  'paths.preserve_workspace_path' | 'git.readonly' | 'container.image'
>;

interface Found extends GitPlace {
  /** Of its repository. */
  readonly config: string | undefined;
  readonly filters: readonly string[];
}

/** Configuration files of git are larger than its links. */
const textBytesMax = 32 * linkBytesMax;

/** By configuration. Git's paths of a worktree are absolute ones of the host, so it keeps its own. */
export function placeIn(app: AppContext, workspace: Workspace, settings: PlaceSettings): Place {
  const found = lookedUp(app, workspace);
  const { target, warning } = targetOf(workspace, found, settings);
  if (warning) app.report.warn(warning);
  return placed(app, workspace, target, found, settings);
}

/** Where a container has it already. */
export function placeAt(
  app: AppContext,
  workspace: Workspace,
  target: string,
  settings: PlaceSettings,
): Place {
  return placed(app, workspace, target, lookedUp(app, workspace), settings);
}

/** Where a session of that workspace has it, whether it may be one or not. */
export function targetIn(
  app: AppContext,
  workspace: WorkspacePath,
  settings: PlaceSettings,
): string {
  const facts = pathFacts(workspace);
  const { real, owner } =
    facts.kind === 'directory' ? facts : { real: workspace, owner: { uid: 0, gid: 0 } };
  const known = { workspace, real, owner };
  return targetOf(known, lookedUp(app, known), settings).target;
}

/** What is used up of the container's places. */
export function takenBy({ target, git }: Pick<Place, 'target' | 'git'>): string[] {
  return [target, ...(git ? [git.target] : [])];
}

/** Besides the workspace itself. */
export function withGit(
  { git }: Pick<Place, 'git'>,
  mounts: readonly PlannedMount[],
): readonly PlannedMount[] {
  return git ? [git, ...mounts] : mounts;
}

function targetOf(
  { workspace, real }: Workspace,
  { ownPath }: GitPlace,
  settings: PlaceSettings,
): { readonly target: string; readonly warning?: string } {
  const asked = workspaceTarget(workspace, settings['paths.preserve_workspace_path']);
  return ownPath
    ? { target: workspaceTarget(absoluteWorkspace(real) ?? workspace, true).target }
    : asked;
}

function placed(
  { report }: AppContext,
  workspace: Workspace,
  target: string,
  { link, why, filters }: Found,
  settings: PlaceSettings,
): Place {
  const isOwnPath = target === workspace.real;
  const git = link && commonMount(link, { isOwnPath, readonly: settings['git.readonly'] });
  const failed = link && !git ? `its repository ${link.common} has no place inside` : why;
  if (failed !== undefined) report.warn(`git does not work in this session: ${failed}`);
  // What other images have is not known here.
  if (filters.length > 0 && settings['container.image'] === defaultImage)
    report.warn(
      `filters of this repository are missing in this session, git would take the files as they are: ${filters.join(', ')}`,
    );
  return { ...workspace, target, git };
}

/** The configuration of the repository that a workspace is in, or shares; undefined if it has none. */
export function repositoryConfig(app: AppContext, workspace: string): string | undefined {
  const place = pathFacts(workspace);
  return place.kind === 'directory' ? lookedUp(app, place).config : undefined;
}

function lookedUp(app: AppContext, { real, owner }: Pick<Workspace, 'real' | 'owner'>): Found {
  using top = hostFiles.open('/');
  using own = hostFiles.open(real);
  /** The nearest open directory, and the way from there. */
  const from = (path: string) =>
    path.startsWith(`${real}/`)
      ? ([own, path.slice(real.length + 1)] as const)
      : ([top, path.slice(1)] as const);
  const entry = (path: string) => {
    const [directory, rest] = from(path);
    return answered(() => directory?.entry(rest));
  };
  const facts: GitFacts = {
    kind: (path) => {
      const kind = entry(path)?.kind;
      if (kind === undefined) return 'missing';
      return kind === 'file' || kind === 'directory' ? kind : 'other';
    },
    text: (path) => {
      const [directory, rest] = from(path);
      return answered(() => directory?.read(rest, { maxBytes: textBytesMax })?.text);
    },
    owner: (path) => entry(path)?.stat.uid,
    mayOpen: (path) => workspaceRefusal(app, path) === undefined,
  };
  const found = gitPlace(real, app.user.uid === 0 ? owner.uid : app.user.uid, facts);
  const { repository } = found;
  const config = repository === undefined ? undefined : facts.text(`${repository}/config`);
  return { ...found, config, filters: filtersMissing(real, found, facts.text) };
}

/** What cannot be looked at is not there for this user. */
function answered<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (hostFiles.problem(error)) return undefined;
    throw error;
  }
}
