// Which workspace, configuration and session a `coi shell` means: alias, command line, files, store and containers together.

import type { App } from '../app.ts';
import type { ResolvedConfig } from '../config/load.ts';
import { CoiError } from '../errors.ts';
import { hostFiles } from '../host/files.ts';
import { parseSessionId, quoted, type Slot, type WorkspacePath } from '../names.ts';
import { aliasAndSlot, readAliases } from '../session/aliases.ts';
import { type Choice, choice, chosenContainer, type SavedSession } from '../session/choose.ts';
import { guestHome } from '../session/environment.ts';
import { findContainer } from '../session/lookup.ts';
import { meantId } from '../session/meant-id.ts';
import type { SessionMetadata } from '../session/metadata.ts';
import { type Container, coiContainers, noTool } from '../session/record.ts';
import { belongsTo, storedSession, storedSessions } from '../session/stored.ts';
import type { GlobalOptions } from './command.ts';
import { ownContainers as containersOf } from './containers.ts';
import { type Here, isOf, named } from './here.ts';
import { placeAt, placeIn } from './place-in.ts';
import { config, type Place, place, type Workspace, wantedSlot } from './prepare.ts';

export interface ShellOptions extends GlobalOptions {
  background?: boolean;
  json?: boolean;
  tmux?: boolean;
  container?: string;
  tool?: string;
  /** One prompt on stdin, without a terminal. */
  headless?: boolean;
}

export interface Meant {
  readonly at: Place;
  readonly resolved: ResolvedConfig;
  readonly choice: Choice;
  /** Whether the container is kept, all told. */
  readonly persistent: boolean;
}

/** Throws for a workspace, alias, configuration or session that cannot be used. */
export async function meantSession(
  app: App,
  options: ShellOptions,
  aliasWord: string | undefined,
): Promise<Meant> {
  if (options.container !== undefined) return inContainer(app, options, options.container);
  const alias = aliasWord === undefined ? undefined : aliased(app, aliasWord);
  const workspace = place(app, alias?.workspace ?? options.workspace);
  const slot = wantedSlot(options) ?? alias?.slot;
  const resume = wantedResume(options);
  const resumed =
    resume === undefined ? undefined : await resumedSession(app, namesOf(workspace), slot, resume);
  const saved = resumed && 'saved' in resumed ? resumed.saved : undefined;
  const configured = await config(
    app,
    {
      ...options,
      profile: options.profile ?? saved?.profile ?? alias?.profile,
      tool: options.tool ?? saved?.tool,
    },
    workspace.workspace,
  );
  const resolved = called(configured, alias?.name);
  const at = placeIn(app, workspace, resolved.settings);
  const said = resolved.settings['container.persistent'];
  if (resumed)
    return { at, resolved, choice: resumed, persistent: keeps(app, options, said, resumed, saved) };
  const containers = said || slot !== undefined ? await ownContainers(app, namesOf(at)) : [];
  const chosen = choice(
    { resume: undefined, slot, persistent: said },
    containers,
    [],
    () => undefined,
  );
  if (chosen.kind === 'restart')
    app.io.detail(`Reusing stopped persistent container ${chosen.container.name}`);
  return { at, resolved, choice: chosen, persistent: keeps(app, options, said, chosen, undefined) };
}

/** Whether the container is kept. One that was made to be kept stays so, unless the command line says otherwise. */
function keeps(
  app: App,
  { persistent: flag }: ShellOptions,
  said: boolean | undefined,
  { kind }: Choice,
  saved: SavedSession | undefined,
): boolean {
  if (flag !== undefined) return flag;
  if (said === undefined && saved?.persistent)
    app.io.detail('Inherited persistent mode from session');
  if (kind === 'restart') return true;
  if (said !== undefined && saved && said !== saved.persistent)
    app.io.tell(
      `The configuration says persistent = ${said}, so the session's own choice does not count`,
    );
  return said ?? saved?.persistent ?? false;
}

/** `--container`: an existing container, by its name or alias. */
async function inContainer(app: App, options: ShellOptions, word: string): Promise<Meant> {
  const container = findContainer(app, await containersOf(app, options), word);
  if (!container)
    throw new CoiError('session-not-found', `container ${quoted(word)} not found`, {
      hint: 'Run `coi list` to see your sessions.',
    });
  const { session, instance } = container;
  const choice = chosenContainer(container, wantedResume(options) !== undefined);
  const workspace = place(app, session?.workspace ?? options.workspace);
  const resolved = await config(
    app,
    {
      ...options,
      profile: options.profile ?? session?.profile,
      // `coi run --persistent` leaves containers that have had no agent yet.
      tool: options.tool ?? (session?.tool === noTool ? undefined : session?.tool),
    },
    workspace.workspace,
  );
  const target = session?.target ?? instance.devices['workspace']?.['path'] ?? guestHome;
  const persistent = keeps(app, options, undefined, choice, undefined);
  return { at: placeAt(app, workspace, target, resolved.settings), resolved, choice, persistent };
}

function aliased(
  app: App,
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

/** --continue wins if both are given. */
function wantedResume(
  options: ShellOptions,
): 'newest' | ReturnType<typeof parseSessionId> | undefined {
  const value = options.continue ?? options.resume;
  if (value === undefined) return undefined;
  return value === true || value === 'auto' || value === '' ? 'newest' : parseSessionId(value);
}

async function resumedSession(
  app: App,
  workspace: Here,
  slot: Slot | undefined,
  resume: 'newest' | ReturnType<typeof parseSessionId>,
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
  app.io.detail(resume === 'newest' ? `Auto-detected session: ${id}` : `Resuming session: ${id}`);
  const again = slotAgain(chosen);
  if (slot === undefined && again !== undefined)
    app.io.detail(`Reusing original slot ${again} from session`);
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
    slot: metadata.slot as Slot | undefined,
    persistent: metadata.persistent,
    profile: metadata.profile,
  };
}

/** The user's containers in a workspace. */
export async function ownContainers(app: App, workspace: Here): Promise<Container[]> {
  const all = await (await app.incus()).instances({ signal: app.signal });
  return coiContainers(all, app.prefix, app.user.uid).filter(isOf(workspace));
}

function namesOf({ workspace, real }: Workspace): Here {
  return named({ path: workspace, real });
}
