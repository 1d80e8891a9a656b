// Mount points of a workspace and of the git directory that a worktree needs; warns if git will not work.
import type { Settings } from '../../config/keys/table.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { pathFacts } from '../../host/fs/path-facts.ts';
import { defaultImage } from '../../image/versions.ts';
import { absoluteWorkspace, type WorkspacePath } from '../../names.ts';
import {
  commonMount,
  type GitFacts,
  locateRepository,
  missingFiltersIn,
  type RepositoryLocation,
} from '../../session/git/repository-location.ts';
import { linkBytesMax } from '../../session/git/worktree.ts';
import type { PlannedMount } from '../../session/plan/session-spec.ts';
import { workspaceTarget } from '../../session/plan/workspace.ts';
import type { AppContext } from '../context.ts';
import { type MountedWorkspace, type Workspace, workspaceRefusal } from '../workspace.ts';

type MountSettings = Pick<
  Settings,
  'paths.preserve_workspace_path' | 'git.readonly' | 'container.image'
>;

interface GitInspection extends RepositoryLocation {
  /** Content of the repository's configuration file. */
  readonly config: string | undefined;
  readonly filters: readonly string[];
}

/** Configuration files of git are larger than its links. */
const textBytesMax = 32 * linkBytesMax;

/** As configured. A worktree keeps its host path, because git refers to it by absolute paths. */
export function mountWorkspace(
  app: AppContext,
  workspace: Workspace,
  settings: MountSettings,
): MountedWorkspace {
  const found = inspectGit(app, workspace);
  const { target, warning } = chooseTarget(workspace, found, settings);
  if (warning) app.report.warn(warning);
  return withGitMount(app, workspace, target, found, settings);
}

/** For a container that already has it at `target`. */
export function mountWorkspaceAt(
  app: AppContext,
  workspace: Workspace,
  target: string,
  settings: MountSettings,
): MountedWorkspace {
  return withGitMount(app, workspace, target, inspectGit(app, workspace), settings);
}

/** Mount point in a session of that workspace, even if it cannot be a workspace. */
export function mountPoint(
  app: AppContext,
  workspace: WorkspacePath,
  settings: MountSettings,
): string {
  const facts = pathFacts(workspace);
  const { real, owner } =
    facts.kind === 'directory' ? facts : { real: workspace, owner: { uid: 0, gid: 0 } };
  const known = { workspace, real, owner };
  return chooseTarget(known, inspectGit(app, known), settings).target;
}

/** Paths in the container that are in use. */
export function usedTargets({ target, git }: Pick<MountedWorkspace, 'target' | 'git'>): string[] {
  return [target, ...(git ? [git.target] : [])];
}

/** All mounts besides the workspace itself. */
export function withGit(
  { git }: Pick<MountedWorkspace, 'git'>,
  mounts: readonly PlannedMount[],
): readonly PlannedMount[] {
  return git ? [git, ...mounts] : mounts;
}

function chooseTarget(
  { workspace, real }: Workspace,
  { ownPath }: RepositoryLocation,
  settings: MountSettings,
): { readonly target: string; readonly warning?: string } {
  const configured = workspaceTarget(workspace, settings['paths.preserve_workspace_path']);
  return ownPath
    ? { target: workspaceTarget(absoluteWorkspace(real) ?? workspace, true).target }
    : configured;
}

function withGitMount(
  { report }: AppContext,
  workspace: Workspace,
  target: string,
  { link, why, filters }: GitInspection,
  settings: MountSettings,
): MountedWorkspace {
  const isOwnPath = target === workspace.real;
  const git = link && commonMount(link, { isOwnPath, readonly: settings['git.readonly'] });
  const failed = link && !git ? `its repository ${link.common} cannot be mounted` : why;
  if (failed !== undefined) report.warn(`git does not work in this session: ${failed}`);
  // Whether other images have them is not known here.
  if (filters.length > 0 && settings['container.image'] === defaultImage)
    report.warn(
      `filters of this repository are missing in this session, so git would use the files unfiltered: ${filters.join(', ')}`,
    );
  return { ...workspace, target, git };
}

/** The configuration of the repository that a workspace is in, or shares; undefined if it has none. */
export function repositoryConfig(app: AppContext, workspace: string): string | undefined {
  const facts = pathFacts(workspace);
  return facts.kind === 'directory' ? inspectGit(app, facts).config : undefined;
}

function inspectGit(
  app: AppContext,
  { real, owner }: Pick<Workspace, 'real' | 'owner'>,
): GitInspection {
  using top = hostFiles.open('/');
  using own = hostFiles.open(real);
  /** The nearest open directory, and the path below it. */
  const from = (path: string) =>
    path.startsWith(`${real}/`)
      ? ([own, path.slice(real.length + 1)] as const)
      : ([top, path.slice(1)] as const);
  const entry = (path: string) => {
    const [directory, rest] = from(path);
    return ifAccessible(() => directory?.entry(rest));
  };
  const facts: GitFacts = {
    kind: (path) => {
      const kind = entry(path)?.kind;
      if (kind === undefined) return 'missing';
      return kind === 'file' || kind === 'directory' ? kind : 'other';
    },
    text: (path) => {
      const [directory, rest] = from(path);
      return ifAccessible(() => directory?.read(rest, { maxBytes: textBytesMax })?.text);
    },
    owner: (path) => entry(path)?.stat.uid,
    mayOpen: (path) => workspaceRefusal(app, path) === undefined,
  };
  const found = locateRepository(real, app.user.uid === 0 ? owner.uid : app.user.uid, facts);
  const { repository } = found;
  const config = repository === undefined ? undefined : facts.text(`${repository}/config`);
  return { ...found, config, filters: missingFiltersIn(real, found, facts.text) };
}

/** A path that cannot be accessed does not exist for this user. */
function ifAccessible<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (hostFiles.asFileError(error)) return undefined;
    throw error;
  }
}
