// Which workspace, configuration and session a `coi shell` means: alias, command line, files, store and containers together.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { quoted, type SessionId, type Slot, type WorkspacePath } from '../../names.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { aliasAndSlot, readAliases } from '../../session/record/aliases.ts';
import {
  type Choice,
  choice,
  chosenContainer,
  type SavedSession,
} from '../../session/record/choose-session.ts';
import { type Container, coiContainers, noTool } from '../../session/record/instance-record.ts';
import { findContainer } from '../../session/record/lookup.ts';
import type { SessionMetadata } from '../../session/record/metadata.ts';
import { meantId } from '../../session/record/session-by-id.ts';
import { belongsTo, storedSession, storedSessions } from '../../session/store/saved-sessions.ts';
import { config } from '../configuration.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import { placeAt, placeIn } from '../session-spec/workspace-mount.ts';
import { ownContainers as containersOf } from '../targets/user-containers.ts';
import { type Place, place, type Workspace } from '../workspace.ts';
import { type Here, isOf, named } from '../workspace-names.ts';

export interface SelectedSession {
  readonly at: Place;
  readonly resolved: ResolvedConfig;
  readonly choice: Choice;
  /** Whether the container is kept, all told. */
  readonly persistent: boolean;
}

/** Throws for a workspace, alias, configuration or session that cannot be used. */
export async function selectSession(
  app: AppContext,
  request: OpenSessionRequest,
): Promise<SelectedSession> {
  if (request.container !== undefined) return inContainer(app, request, request.container);
  const alias = request.alias === undefined ? undefined : aliased(app, request.alias);
  const workspace = place(app, alias?.workspace ?? request.workspace);
  const slot = request.slot ?? alias?.slot;
  const { resume } = request;
  const resumed =
    resume === undefined ? undefined : await resumedSession(app, namesOf(workspace), slot, resume);
  const saved = resumed && 'saved' in resumed ? resumed.saved : undefined;
  const configured = await config(
    app,
    {
      ...request,
      profile: request.profile ?? saved?.profile ?? alias?.profile,
      tool: request.tool ?? saved?.tool,
    },
    workspace.workspace,
  );
  const resolved = called(configured, alias?.name);
  const at = placeIn(app, workspace, resolved.settings);
  const said = resolved.settings['container.persistent'];
  if (resumed)
    return { at, resolved, choice: resumed, persistent: keeps(app, request, said, resumed, saved) };
  const containers = said || slot !== undefined ? await ownContainers(app, namesOf(at)) : [];
  const chosen = choice(
    { resume: undefined, slot, persistent: said },
    containers,
    [],
    () => undefined,
  );
  if (chosen.kind === 'restart')
    app.report.detail(`Reusing stopped persistent container ${chosen.container.name}`);
  return { at, resolved, choice: chosen, persistent: keeps(app, request, said, chosen, undefined) };
}

/** Whether the container is kept. One that was made to be kept stays so, unless the command line says otherwise. */
function keeps(
  app: AppContext,
  { persistent: flag }: OpenSessionRequest,
  said: boolean | undefined,
  { kind }: Choice,
  saved: SavedSession | undefined,
): boolean {
  if (flag !== undefined) return flag;
  if (said === undefined && saved?.persistent)
    app.report.detail('Inherited persistent mode from session');
  if (kind === 'restart') return true;
  if (said !== undefined && saved && said !== saved.persistent)
    app.report.info(
      `The configuration says persistent = ${said}, so the session's own choice does not count`,
    );
  return said ?? saved?.persistent ?? false;
}

/** `--container`: an existing container, by its name or alias. */
async function inContainer(
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
  const choice = chosenContainer(container, request.resume !== undefined);
  const workspace = place(app, session?.workspace ?? request.workspace);
  const resolved = await config(
    app,
    {
      ...request,
      profile: request.profile ?? session?.profile,
      // `coi run --persistent` leaves containers that have had no agent yet.
      tool: request.tool ?? (session?.tool === noTool ? undefined : session?.tool),
    },
    workspace.workspace,
  );
  const target = session?.target ?? instance.devices['workspace']?.['path'] ?? guestHome;
  const persistent = keeps(app, request, undefined, choice, undefined);
  return { at: placeAt(app, workspace, target, resolved.settings), resolved, choice, persistent };
}

function aliased(
  app: AppContext,
  word: string,
): { name: string; workspace: string; slot: Slot | undefined; profile: string | undefined } {
  const registered = readAliases(app.user.home, hostFiles);
  const { alias, slot } = aliasAndSlot(word, registered);
  const entry = Object.hasOwn(registered, alias) ? registered[alias] : undefined;
  if (!entry) {
    throw new CoiError('alias-invalid', `unknown alias ${quoted(alias)}`, {
      hint: `Write alias = "${alias}" under [container] in the .coi/config.toml of its workspace and run \`coi shell\` there once.`,
    });
  }
  return { name: alias, workspace: entry.workspace, slot, profile: entry.profile };
}

/** What was started by a registered alias answers to it, also where no file of the workspace names it any more. */
function called(resolved: ResolvedConfig, alias: string | undefined): ResolvedConfig {
  if (alias === undefined || resolved.settings['container.alias']) return resolved;
  return { ...resolved, settings: { ...resolved.settings, 'container.alias': alias } };
}

async function resumedSession(
  app: AppContext,
  workspace: Here,
  slot: Slot | undefined,
  resume: 'newest' | SessionId,
): Promise<Choice> {
  const query = { home: app.user.home };
  const stored = storedSessions(query, hostFiles);
  const wanted =
    resume === 'newest'
      ? resume
      : meantId(
          resume,
          stored.flatMap((entry) => (entry.kind === 'saved' ? [entry.metadata.sessionId] : [])),
        );
  const saved = stored.flatMap((entry) =>
    entry.kind === 'saved' && belongsTo(entry.metadata, workspace)
      ? [savedSession(entry.metadata, workspace.path)]
      : [],
  );
  const foreign = (id: SavedSession['id']) => {
    const found = storedSession(id, query, hostFiles);
    return found?.kind === 'saved'
      ? (found.metadata.workspace ?? found.metadata.container)
      : undefined;
  };
  const chosen = choice(
    { resume: wanted, slot, persistent: undefined },
    await ownContainers(app, workspace),
    saved,
    foreign,
  );
  const id = 'saved' in chosen ? chosen.saved?.id : undefined;
  app.report.detail(
    resume === 'newest' ? `Auto-detected session: ${id}` : `Resuming session: ${id}`,
  );
  const again = slotAgain(chosen);
  if (slot === undefined && again !== undefined)
    app.report.detail(`Reusing original slot ${again} from session`);
  return chosen;
}

function slotAgain(chosen: Choice): number | undefined {
  if (chosen.kind === 'restart') return chosen.container.session.slot;
  return chosen.kind === 'resume' ? chosen.slot : undefined;
}

function savedSession(metadata: SessionMetadata, workspace: WorkspacePath): SavedSession {
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
export async function ownContainers(app: AppContext, workspace: Here): Promise<Container[]> {
  const all = await (await app.incus()).instances({ signal: app.signal });
  return coiContainers(all, app.prefix, app.user.uid).filter(isOf(workspace));
}

function namesOf({ workspace, real }: Workspace): Here {
  return named({ path: workspace, real });
}
