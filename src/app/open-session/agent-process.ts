// The agent of a session: what is started, in what environment, and how its store comes about.
import type { Reservation } from '../../coid-api/session-protocol.ts';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles, type Owner } from '../../host/fs/host-files.ts';
import { removeTreeAt } from '../../host/fs/remove-tree.ts';
import { hostZone, knownZone } from '../../host/linux/time-zone.ts';
import type { SessionId } from '../../names.ts';
import type { Again } from '../../session/plan/agent-command.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { limitWords } from '../../session/plan/limits.ts';
import type { PlannedMount } from '../../session/plan/session-wish.ts';
import { withPrelude } from '../../session/plan/startup-script.ts';
import { sessionZone } from '../../session/plan/timezone.ts';
import { guardsGit, toolLines, toolVariables } from '../../session/plan/tool-setup.ts';
import { protectRequest } from '../../session/protect/protect-request.ts';
import { fillStore, makeStore, recordSession, storePath } from '../../session/store/store.ts';
import { contextText } from '../../tools/context.ts';
import { tool as findTool, toolChoices } from '../../tools/list.ts';
import type { Conversation, Tool, ToolLaunch } from '../../tools/shape.ts';
import type { AppContext } from '../context.ts';
import type { GitInside } from '../session-spec/git-identity.ts';
import { fileText } from '../text-file.ts';
import type { Place } from '../workspace.ts';

export interface ToolWish {
  /** The store was made by this very start, so that it may be removed when the start fails. */
  readonly isNew: boolean;
  readonly session: SessionId;
  /** The tool's id for a new conversation; another than the session's where the session has one already. */
  readonly conversationId: string;
  readonly conversation: Conversation;
  /** The store was copied from another session's. */
  readonly copied: boolean;
  readonly at: Place;
  /** bash instead of the tool; the store is there all the same. */
  readonly debug: boolean;
  /** One prompt, which comes on stdin. */
  readonly headless: boolean;
  /** A terminal is opened on it. */
  readonly attaches: boolean;
  readonly persistent: boolean;
  /** Variables that the agent gets from the user. */
  readonly given: Readonly<Record<string, string>>;
  readonly git: GitInside;
  /** Ends of forwarded keys (tools/list.ts). */
  readonly keyTails: readonly string[];
  readonly mounts: readonly PlannedMount[];
}

export interface AgentSetting {
  readonly tool: Tool;
  readonly command: readonly string[];
  /** The agent's program; undefined where none is started, or one that is installed just before. */
  readonly needs: string | undefined;
  /** How it is started again in its session; undefined where no agent is started on a terminal. */
  readonly again: Again | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly conversation: Conversation['kind'];
  /** `~/.coi/sessions-<tool>/<id>`. */
  readonly storeDir: string;
  /** Where the store's parts are mounted. */
  readonly targets: readonly string[];
  /** Makes the directories of the store and returns them as mounts. */
  readonly makeStore: () => PlannedMount[];
  /** Writes login, settings and context into it; for who has claimed the session. */
  readonly fillStore: () => void;
  /** Removes the store of a session that never came to be. */
  readonly discardStore: () => Promise<void>;
  /** Writes metadata.json: the mark of a whole session. */
  readonly recordSession: (reservation: Pick<Reservation, 'container' | 'slot'>) => void;
}

export function agentSetting(
  app: AppContext,
  resolved: ResolvedConfig,
  wish: ToolWish,
): AgentSetting {
  const { settings, profile } = resolved;
  const tool = findTool(settings['tool.name'], settings, app.env);
  const launch: ToolLaunch = {
    sessionId: wish.conversationId,
    conversation: wish.conversation,
    permissionMode: settings['tool.permission_mode'],
    home: guestHome,
    workspace: wish.at.target,
    binary: settings['tool.binary'],
    variables: Object.keys(wish.given),
    keyTails: wish.keyTails,
    plainCommits: settings['git.strip_attribution'],
    ...toolChoices(tool.name, settings),
  };
  const tools = { guarded: guardsGit(protectRequest(settings)), git: wish.git.signing.config };
  const { home, uid, gid } = app.user;
  const keeper: Owner = { uid, gid };
  const request = () => ({
    home,
    tool,
    launch: { ...launch, sessionId: wish.session },
    context: settings['tool.auto_context'] ? context(app, tool, resolved, wish) : undefined,
    carry: settings['tool.carry'],
    workspace: wish.at.workspace,
    keeper,
    copied: wish.copied,
    nowMs: app.clock.now().getTime(),
    owner: uid === 0 ? wish.at.owner : keeper,
  });
  const command = wish.debug ? ['bash'] : agentCommand(tool, launch, wish.headless);
  return {
    tool,
    command: withPrelude(command, {
      identity: wish.git.identity,
      setup: toolLines(tools),
      preLaunch: settings['tool.pre_launch'],
      ofTool: wish.debug ? [] : tool.beforeStart,
    }),
    again: wish.debug || wish.headless ? undefined : startedAgain(tool, launch, command.length),
    needs: wish.debug || settings['tool.pre_launch'].length > 0 ? undefined : neededBy(command),
    environment: { ...toolVariables(wish.given, tools), ...tool.environment(launch) },
    conversation: wish.conversation.kind,
    storeDir: storePath(home, tool.sessionsDir, wish.session),
    targets: tool.stateDirs.map((dir) => `${guestHome}/${dir}`),
    makeStore: () =>
      makeStore(request(), hostFiles).parts.map((part) => ({ ...part, readonly: false })),
    fillStore: () => {
      for (const warning of fillStore(request(), hostFiles)) app.report.warn(warning);
    },
    discardStore: async () => {
      if (wish.isNew) await removeTreeAt(storePath(home, tool.sessionsDir, wish.session));
    },
    recordSession: ({ container, slot }) => {
      const last = wish.conversation.kind === 'new' ? wish.conversationId : wish.conversation.id;
      const metadata = {
        sessionId: wish.session,
        container,
        persistent: wish.persistent,
        profile,
        workspace: wish.at.workspace,
        ...(wish.at.real === wish.at.workspace ? {} : { realWorkspace: wish.at.real }),
        savedAt: app.clock.now(),
        ...(wish.attaches ? { attachedAt: app.clock.now() } : {}),
        tool: tool.name,
        slot,
        ...(tool.idsAreOurs && last !== wish.session ? { conversation: last } : {}),
      };
      recordSession({ home, tool, keeper, metadata }, hostFiles);
    },
  };
}

/** Inside nobody knows the agent's own id of its newest conversation, but the agent does. */
function startedAgain(tool: Tool, launch: ToolLaunch, tail: number): Again {
  const last = launch.conversation.kind === 'resume' ? launch.conversation.id : undefined;
  const id = tool.idsAreOurs ? (last ?? launch.sessionId) : undefined;
  const again = { ...launch, conversation: { kind: 'resume', id } } as const;
  const words = tool.again?.(again) ?? tool.command(again);
  return { title: tool.title, kept: tool.conversations, words, tail };
}

/** A path that is relative to the workspace is left to the shell. */
function neededBy([program = '']: readonly string[]): string | undefined {
  return program.startsWith('/') || !program.includes('/') ? program : undefined;
}

/** Throws `usage` for a tool that cannot run without a terminal. */
export function agentCommand(tool: Tool, launch: ToolLaunch, headless: boolean): readonly string[] {
  if (!headless) return tool.command(launch);
  if (tool.headless) return tool.headless(launch);
  throw new CoiError('usage', `${tool.title} cannot run a prompt without a terminal`, {
    hint: 'Tools that can: claude, codex, opencode.',
  });
}

function context(
  app: AppContext,
  tool: Tool,
  { settings, contextFile }: ResolvedConfig,
  wish: ToolWish,
): string {
  const own = settings['tool.context_file'];
  if (own) return fileText(app, own, 'the context file', wish.at.workspace);
  return contextText({
    tool: tool.title,
    workspace: wish.at.target,
    samePath: wish.at.target === wish.at.real,
    home: guestHome,
    persistent: wish.persistent,
    permissionMode: settings['tool.permission_mode'],
    network: settings['network.mode'],
    allowed: settings['network.allowed_domains'],
    protectedPaths: [
      ...(protectRequest(settings)?.paths ?? []),
      ...(settings['git.readonly'] ? ['.git'] : []),
    ],
    hiddenPaths: settings['security.secret_paths'],
    variables: Object.keys(wish.given),
    mounts: wish.mounts.map(({ target, readonly }) => ({ container: target, readonly })),
    docker: settings['container.docker'],
    sshAgent: settings['ssh.forward_agent'],
    timezone: sessionZone(settings, hostZone(), knownZone).name,
    limits: limitWords(settings),
    profileText:
      contextFile === undefined
        ? undefined
        : fileText(app, contextFile, 'the context of the profile', wish.at.workspace),
  });
}
