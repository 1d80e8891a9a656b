// The agent's process in a session: its command, its environment and its session store.
import type { Reservation } from '../../coid-api/session-protocol.ts';
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { CoiError } from '../../errors.ts';
import { hostFiles, type Owner } from '../../host/fs/host-files.ts';
import { removeTreeAt } from '../../host/fs/remove-tree.ts';
import { guestScript } from '../../host/install/resources.ts';
import { hostZone, isKnownZone } from '../../host/linux/time-zone.ts';
import type { SessionId } from '../../names.ts';
import type { AgentRestart } from '../../session/plan/agent-command.ts';
import { guestHome } from '../../session/plan/environment.ts';
import { limitTexts } from '../../session/plan/limits.ts';
import type { PlannedMount } from '../../session/plan/session-spec.ts';
import { withPrelude } from '../../session/plan/startup-script.ts';
import { sessionZone } from '../../session/plan/timezone.ts';
import { guardsGit, toolSetupLines, toolVariables } from '../../session/plan/tool-setup.ts';
import { protectRequest } from '../../session/protect/protect-request.ts';
import { createStore, fillStore, recordSession, storePath } from '../../session/store/store.ts';
import { contextText } from '../../tools/context.ts';
import { findTool, toolModel } from '../../tools/list.ts';
import { statusVariable } from '../../tools/status-directory.ts';
import type { Conversation, Tool, ToolLaunch } from '../../tools/tool.ts';
import type { AppContext } from '../context.ts';
import type { GitInside } from '../session-spec/git-identity.ts';
import { readTextFile } from '../text-file.ts';
import { treeSetup } from '../trees/tree-setup.ts';
import type { MountedWorkspace } from '../workspace.ts';

export interface AgentRequest {
  /** This start creates the store, and removes it if it fails. */
  readonly isNew: boolean;
  readonly session: SessionId;
  /** The agent's id for a new conversation; not the session's id if that is already used for a conversation. */
  readonly conversationId: string;
  readonly conversation: Conversation;
  /** The store was copied from another session's. */
  readonly copied: boolean;
  readonly at: MountedWorkspace;
  /** bash instead of the agent; the store is still created. */
  readonly debug: boolean;
  /** One prompt, on stdin. */
  readonly headless: boolean;
  /** A terminal is attached. */
  readonly attaches: boolean;
  readonly persistent: boolean;
  /** Variables that the agent gets from the user. */
  readonly variables: Readonly<Record<string, string>>;
  readonly git: GitInside;
  /** Last characters of forwarded API keys (tools/list.ts). */
  readonly keyTails: readonly string[];
  readonly mounts: readonly PlannedMount[];
}

export interface AgentProcess {
  readonly tool: Tool;
  readonly command: readonly string[];
  /** The agent's program; undefined if none is started, or if pre_launch may install it. */
  readonly needs: string | undefined;
  /** How to start it again in its session; undefined if no agent is started on a terminal. */
  readonly again: AgentRestart | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly conversation: Conversation['kind'];
  /** `~/.coi/sessions-<tool>/<id>`. */
  readonly storeDir: string;
  /** Where the store's parts are mounted. */
  readonly targets: readonly string[];
  /** Creates the directories of the store and returns them as mounts. */
  readonly createStore: () => PlannedMount[];
  /** Writes login, settings and context into the store; the session must be reserved. */
  readonly fillStore: () => void;
  /** Removes the store of a session that did not start. */
  readonly discardStore: () => Promise<void>;
  /** Writes metadata.json, which marks the session as complete. */
  readonly recordSession: (reservation: Pick<Reservation, 'container' | 'slot'>) => void;
}

export function planAgentProcess(
  app: AppContext,
  resolved: ResolvedConfig,
  request: AgentRequest,
): AgentProcess {
  const { settings, profile } = resolved;
  const tool = findTool(settings['tool.name'], settings, app.env);
  const launch: ToolLaunch = {
    sessionId: request.conversationId,
    conversation: request.conversation,
    permissionMode: settings['tool.permission_mode'],
    home: guestHome,
    workspace: request.at.target,
    binary: settings['tool.binary'],
    variables: Object.keys(request.variables),
    keyTails: request.keyTails,
    plainCommits: settings['git.strip_attribution'],
    ...toolModel(tool.name, settings),
  };
  const tools = { guarded: guardsGit(protectRequest(settings)), git: request.git.signing.config };
  const { home, uid, gid } = app.user;
  const storeOwner: Owner = { uid, gid };
  const storeRequest = () => ({
    home,
    tool,
    launch: { ...launch, sessionId: request.session },
    context: settings['tool.auto_context'] ? buildContext(app, tool, resolved, request) : undefined,
    carry: settings['tool.carry'],
    workspace: request.at.workspace,
    storeOwner,
    copied: request.copied,
    nowMs: app.clock.now().getTime(),
    owner: uid === 0 ? request.at.owner : storeOwner,
    ownFiles: (tool.ownFiles ?? []).map(({ path, content }) => ({
      path,
      text: 'guest' in content ? guestScript(content.guest) : content.text,
    })),
  });
  const command = request.debug ? ['bash'] : agentCommand(tool, launch, request.headless);
  return {
    tool,
    command: withPrelude(command, {
      identity: request.git.identity,
      setup: toolSetupLines(tools),
      treeSetup: treeSetup(app, request.at.workspace, settings),
      preLaunch: settings['tool.pre_launch'],
      ofTool: request.debug ? [] : tool.beforeStart,
    }),
    again:
      request.debug || request.headless ? undefined : planRestart(tool, launch, command.length),
    needs:
      request.debug || settings['tool.pre_launch'].length > 0
        ? undefined
        : requiredProgram(command),
    environment: {
      ...toolVariables(request.variables, tools),
      ...tool.environment(launch),
      ...(tool.statusDir !== undefined && { [statusVariable]: `${guestHome}/${tool.statusDir}` }),
    },
    conversation: request.conversation.kind,
    storeDir: storePath(home, tool.sessionsDir, request.session),
    targets: tool.stateDirs.map((dir) => `${guestHome}/${dir}`),
    createStore: () =>
      createStore(storeRequest(), hostFiles).parts.map((part) => ({ ...part, readonly: false })),
    fillStore: () => {
      for (const warning of fillStore(storeRequest(), hostFiles)) app.report.warn(warning);
    },
    discardStore: async () => {
      if (request.isNew) await removeTreeAt(storePath(home, tool.sessionsDir, request.session));
    },
    recordSession: ({ container, slot }) => {
      const last =
        request.conversation.kind === 'new' ? request.conversationId : request.conversation.id;
      const metadata = {
        sessionId: request.session,
        container,
        persistent: request.persistent,
        profile,
        workspace: request.at.workspace,
        ...(request.at.real === request.at.workspace ? {} : { realWorkspace: request.at.real }),
        savedAt: app.clock.now(),
        ...(request.attaches ? { attachedAt: app.clock.now() } : {}),
        tool: tool.name,
        slot,
        ...(tool.usesSessionId && last !== request.session ? { conversation: last } : {}),
      };
      recordSession({ home, tool, storeOwner, metadata }, hostFiles);
    },
  };
}

/** Inside the container only the agent knows the id of its newest conversation. */
function planRestart(tool: Tool, launch: ToolLaunch, tail: number): AgentRestart {
  const last = launch.conversation.kind === 'resume' ? launch.conversation.id : undefined;
  const id = tool.usesSessionId ? (last ?? launch.sessionId) : undefined;
  const again = { ...launch, conversation: { kind: 'resume', id } } as const;
  const words = tool.continueCommand?.(again) ?? tool.command(again);
  return { title: tool.title, kept: tool.conversations, words, tail };
}

/** Undefined for a path relative to the workspace: the shell resolves it. */
function requiredProgram([program = '']: readonly string[]): string | undefined {
  return program.startsWith('/') || !program.includes('/') ? program : undefined;
}

/** Throws `usage` for a tool that cannot run without a terminal. */
export function agentCommand(tool: Tool, launch: ToolLaunch, headless: boolean): readonly string[] {
  if (!headless) return tool.command(launch);
  if (tool.headless) return tool.headless(launch);
  throw new CoiError('usage', `${tool.title} cannot run a prompt without a terminal`, {
    hint: 'Use claude, codex or opencode.',
  });
}

function buildContext(
  app: AppContext,
  tool: Tool,
  { settings, contextFile }: ResolvedConfig,
  request: AgentRequest,
): string {
  const own = settings['tool.context_file'];
  if (own) return readTextFile(app, own, 'the context file', request.at.workspace);
  return contextText({
    tool: tool.title,
    workspace: request.at.target,
    samePath: request.at.target === request.at.real,
    home: guestHome,
    persistent: request.persistent,
    permissionMode: settings['tool.permission_mode'],
    network: settings['network.mode'],
    allowed: settings['network.allowed_domains'],
    protectedPaths: [
      ...(protectRequest(settings)?.paths ?? []),
      ...(settings['git.readonly'] ? ['.git'] : []),
    ],
    hiddenPaths: settings['security.secret_paths'],
    variables: Object.keys(request.variables),
    mounts: request.mounts.map(({ target, readonly }) => ({ container: target, readonly })),
    docker: settings['container.docker'],
    sshAgent: settings['ssh.forward_agent'],
    timezone: sessionZone(settings, hostZone(), isKnownZone).name,
    limits: limitTexts(settings),
    profileText:
      contextFile === undefined
        ? undefined
        : readTextFile(app, contextFile, 'the context of the profile', request.at.workspace),
  });
}
