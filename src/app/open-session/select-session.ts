// Selects the workspace, configuration and session of `coi shell` from alias, command line, files, store and containers.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { quoted, type SessionId, type Slot, type WorkspacePath } from '../../names.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { parseAliasAndSlot, readAliases } from '../../session/record/aliases.ts';
import {
  chooseContainer,
  chooseSession,
  type SavedSession,
  type SessionChoice,
} from '../../session/record/choose-session.ts';
import { expandSessionId } from '../../session/record/expand-session-id.ts';
import { findContainer } from '../../session/record/find-container.ts';
import {
  type Container,
  coiContainers,
  isNeverStarted,
  noTool,
} from '../../session/record/instance-record.ts';
import type { SessionMetadata } from '../../session/record/metadata.ts';
import {
  belongsToWorkspace,
  storedSession,
  storedSessions,
} from '../../session/store/saved-sessions.ts';
import { loadRequestConfig } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest, TreeRequest } from '../requests.ts';
import { mountWorkspace, mountWorkspaceAt } from '../session-spec/workspace-mount.ts';
import { ownContainers as containersOf } from '../targets/user-containers.ts';
import { withTreeAlias } from '../trees/tree-alias.ts';
import { readTreeOf } from '../trees/tree-store.ts';
import { checkWorkspace, type MountedWorkspace, type Workspace } from '../workspace.ts';
import { isSessionOf, type WorkspaceIdentity, workspaceIdentity } from '../workspace-names.ts';

export interface SelectedSession {
  readonly at: MountedWorkspace;
  readonly resolved: ResolvedConfig;
  readonly choice: SessionChoice;
  /** Whether the container is persistent, by command line, configuration and saved session. */
  readonly persistent: boolean;
}

/** Throws for a workspace, alias, configuration or session that cannot be used. */
export async function selectSession(
  app: AppContext,
  request: OpenSessionRequest,
): Promise<SelectedSession> {
  if (request.container !== undefined) return selectContainer(app, request, request.container);
  if (typeof request.tree === 'object') return selectInTree(app, request, request.tree);
  const alias = request.alias === undefined ? undefined : resolveAlias(app, request.alias);
  const workspace = checkWorkspace(app, alias?.workspace ?? request.workspace);
  const slot = request.slot ?? alias?.slot;
  const { resume } = request;
  const resumed =
    resume === undefined
      ? undefined
      : await selectResumed(app, identityOf(workspace), slot, resume);
  const saved = resumed && 'saved' in resumed ? resumed.saved : undefined;
  const loaded = await loadRequestConfig(
    app,
    {
      ...request,
      profile: request.profile ?? saved?.profile ?? alias?.profile,
      tool: request.tool ?? saved?.tool,
    },
    workspace.workspace,
  );
  const tree = readTreeOf(app.user.home, workspace.workspace);
  if (!tree && !resumed && request.tree !== 'shared' && loaded.settings['workspace.mode'] === 'own')
    return selectInTree(app, request, { branch: undefined, isNew: true, from: undefined });
  const resolved = tree ? withTreeAlias(app, loaded, tree) : keepAlias(loaded, alias?.name);
  const at = mountWorkspace(app, workspace, resolved.settings);
  const configured = resolved.settings['container.persistent'];
  if (resumed)
    return {
      at,
      resolved,
      choice: resumed,
      persistent: decidePersistence(app, request, configured, resumed, saved),
    };
  const containers =
    configured || slot !== undefined ? await workspaceSessions(app, identityOf(at)) : [];
  const chosen = chooseSession(
    { resume: undefined, slot, persistent: configured },
    containers,
    [],
    () => undefined,
  );
  if (chosen.kind === 'restart')
    app.report.detail(`Reusing stopped persistent container ${chosen.container.name}`);
  return {
    at,
    resolved,
    choice: chosen,
    persistent: decidePersistence(app, request, configured, chosen, undefined),
  };
}

/** The session that lives in the tree, else a new one there. */
async function selectInTree(
  app: AppContext,
  request: OpenSessionRequest,
  wanted: TreeRequest,
): Promise<SelectedSession> {
  const { openTree } = await import('../trees/open-tree.ts');
  const { places } = await openTree(app, {
    branch: wanted.branch,
    isNew: wanted.isNew,
    from: wanted.from,
    workspace: request.workspace,
    hiddenIn: async ({ workspace }) => {
      const { settings } = await loadRequestConfig(app, request, workspace);
      const { hiddenPaths } = await import('../session-spec/secret-paths.ts');
      return (await hiddenPaths(app, settings, workspace)).paths;
    },
  });
  const inside = { ...request, workspace: places.tree, tree: 'shared' } as const;
  const identity = identityOf(checkWorkspace(app, places.tree));
  const sessions = (await workspaceSessions(app, identity)).filter(
    ({ session }) => request.slot === undefined || session?.slot === request.slot,
  );
  const live = sessions.find(({ status }) => status !== 'Stopped');
  if (live && request.resume === undefined) return selectContainer(app, inside, live.name);
  const kept = sessions.find(
    ({ session, instance }) => session?.persistent && !isNeverStarted(instance),
  );
  return kept && request.resume === undefined
    ? selectContainer(app, inside, kept.name)
    : selectSession(app, inside);
}

/** Whether the container is persistent. A persistent container stays so, unless the command line says otherwise. */
function decidePersistence(
  app: AppContext,
  { persistent: flag }: OpenSessionRequest,
  configured: boolean | undefined,
  { kind }: SessionChoice,
  saved: SavedSession | undefined,
): boolean {
  if (flag !== undefined) return flag;
  if (configured === undefined && saved?.persistent)
    app.report.detail('Inherited persistent mode from session');
  if (kind === 'restart') return true;
  if (configured !== undefined && saved && configured !== saved.persistent)
    app.report.info(`persistent = ${configured} in the configuration overrides the saved session`);
  return configured ?? saved?.persistent ?? false;
}

/** `--container`: an existing container, by its name or alias. */
async function selectContainer(
  app: AppContext,
  request: OpenSessionRequest,
  word: string,
): Promise<SelectedSession> {
  const container = findContainer(app, await containersOf(app, request), word);
  if (!container)
    throw new CoiError('session-not-found', `container ${quoted(word)} not found`, {
      hint: 'Run `coi list` to see your sessions.',
    });
  const { session, instance } = container;
  const choice = chooseContainer(container, request.resume !== undefined);
  const workspace = checkWorkspace(app, session?.workspace ?? request.workspace);
  const resolved = await loadRequestConfig(
    app,
    {
      ...request,
      profile: request.profile ?? session?.profile,
      // Containers of `coi run --persistent` have no agent yet.
      tool: request.tool ?? (session?.tool === noTool ? undefined : session?.tool),
    },
    workspace.workspace,
  );
  const target = session?.target ?? instance.devices['workspace']?.['path'] ?? guestHome;
  const persistent = decidePersistence(app, request, undefined, choice, undefined);
  return {
    at: mountWorkspaceAt(app, workspace, target, resolved.settings),
    resolved,
    choice,
    persistent,
  };
}

function resolveAlias(
  app: AppContext,
  word: string,
): { name: string; workspace: string; slot: Slot | undefined; profile: string | undefined } {
  const registered = readAliases(app.user.home, hostFiles);
  const { alias, slot } = parseAliasAndSlot(word, registered);
  const entry = Object.hasOwn(registered, alias) ? registered[alias] : undefined;
  if (!entry) {
    throw new CoiError('alias-invalid', `unknown alias ${quoted(alias)}`, {
      hint: `Write alias = "${alias}" under [container] in the .coi/config.toml of its workspace and run \`coi shell\` there once.`,
    });
  }
  return { name: alias, workspace: entry.workspace, slot, profile: entry.profile };
}

/** A session that was started by an alias has it, even if no file of the workspace names it any longer. */
function keepAlias(resolved: ResolvedConfig, alias: string | undefined): ResolvedConfig {
  if (alias === undefined || resolved.settings['container.alias']) return resolved;
  return { ...resolved, settings: { ...resolved.settings, 'container.alias': alias } };
}

async function selectResumed(
  app: AppContext,
  workspace: WorkspaceIdentity,
  slot: Slot | undefined,
  resume: 'newest' | SessionId,
): Promise<SessionChoice> {
  const query = { home: app.user.home };
  const stored = storedSessions(query, hostFiles);
  const wanted =
    resume === 'newest'
      ? resume
      : expandSessionId(
          resume,
          stored.flatMap((entry) => (entry.kind === 'saved' ? [entry.metadata.sessionId] : [])),
        );
  const saved = stored.flatMap((entry) =>
    entry.kind === 'saved' && belongsToWorkspace(entry.metadata, workspace)
      ? [toSavedSession(entry.metadata, workspace.path)]
      : [],
  );
  const foreign = (id: SavedSession['id']) => {
    const found = storedSession(id, query, hostFiles);
    return found?.kind === 'saved'
      ? (found.metadata.workspace ?? found.metadata.container)
      : undefined;
  };
  const chosen = chooseSession(
    { resume: wanted, slot, persistent: undefined },
    await workspaceSessions(app, workspace),
    saved,
    foreign,
  );
  const id = 'saved' in chosen ? chosen.saved?.id : undefined;
  app.report.detail(
    resume === 'newest' ? `Auto-detected session: ${id}` : `Resuming session: ${id}`,
  );
  const again = originalSlot(chosen);
  if (slot === undefined && again !== undefined)
    app.report.detail(`Reusing original slot ${again} from session`);
  return chosen;
}

function originalSlot(chosen: SessionChoice): number | undefined {
  if (chosen.kind === 'restart') return chosen.container.session.slot;
  return chosen.kind === 'resume' ? chosen.slot : undefined;
}

function toSavedSession(metadata: SessionMetadata, workspace: WorkspacePath): SavedSession {
  return {
    id: metadata.sessionId,
    workspace: metadata.workspace ?? workspace,
    tool: metadata.tool,
    slot: metadata.slot,
    persistent: metadata.persistent,
    profile: metadata.profile,
  };
}

/** The user's containers in a workspace. */
export async function workspaceSessions(
  app: AppContext,
  workspace: WorkspaceIdentity,
): Promise<Container[]> {
  const all = await (await app.incus()).instances({ signal: app.signal });
  return coiContainers(all, app.prefix, app.user.uid).filter(isSessionOf(workspace));
}

function identityOf({ workspace, real }: Workspace): WorkspaceIdentity {
  return workspaceIdentity({ path: workspace, real });
}
