// The agent of a session, with a new or a resumed conversation.
import { randomUUID } from 'node:crypto';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { SessionId } from '../../names.ts';
import { findConversation } from '../../session/store/conversations.ts';
import { storedSession } from '../../session/store/saved-sessions.ts';
import { findTool, keyTails } from '../../tools/list.ts';
import type { Conversation, Tool } from '../../tools/tool.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import type { GitInside } from '../session-spec/git-identity.ts';
import type { SessionInputs } from '../session-spec/session-inputs.ts';
import { withGit } from '../session-spec/workspace-mount.ts';
import type { MountedWorkspace } from '../workspace.ts';
import { type AgentProcess, planAgentProcess } from './agent-process.ts';
import type { SelectedSession } from './select-session.ts';

/** A session that can be started. */
export interface ReadySession extends SelectedSession {
  readonly git: GitInside;
}

export interface AgentInputs {
  readonly session: SessionId;
  /** Resume its conversation. */
  readonly resumed: boolean;
  /** This start creates the store. */
  readonly isNew: boolean;
  /** The session whose store was copied for this one. */
  readonly copyOf?: SessionId;
}

export function planSessionAgent(
  app: AppContext,
  { mode, debug = false }: Pick<OpenSessionRequest, 'mode' | 'debug'>,
  { at, resolved, persistent, git }: Pick<ReadySession, 'at' | 'resolved' | 'persistent' | 'git'>,
  { variables, mounts }: SessionInputs,
  { session, resumed, isNew, copyOf = session }: AgentInputs,
): AgentProcess {
  const { settings } = resolved;
  const tool = findTool(settings['tool.name'], settings, app.env);
  return planAgentProcess(app, resolved, {
    isNew,
    session,
    // A store that has had conversations needs a new id for the next one.
    conversationId: isNew ? session : randomUUID(),
    conversation: resumed ? lastConversation(app, tool, session, copyOf, at) : { kind: 'new' },
    copied: copyOf !== session,
    at,
    debug,
    headless: mode === 'headless',
    attaches: mode === 'terminal',
    persistent,
    variables: variables,
    git,
    keyTails: keyTails(variables),
    mounts: withGit(at, mounts),
  });
}

/** A new conversation if there is none to resume: agents that are asked to resume nothing exit at once. */
function lastConversation(
  app: AppContext,
  tool: Tool,
  id: SessionId,
  origin: SessionId,
  { target }: MountedWorkspace,
): Conversation {
  const { home } = app.user;
  if (tool.usesSessionId) {
    const stored = storedSession(origin, { home, tool: tool.name }, hostFiles);
    const last = stored?.kind === 'saved' ? stored.metadata.conversation : undefined;
    return { kind: 'resume', id: last ?? origin };
  }
  const found = findConversation({ home, tool, id, workspace: target }, hostFiles);
  if (found !== undefined || !tool.newestConversation) return { kind: 'resume', id: found };
  app.report.info('That session has no conversation yet; starting a new one');
  return { kind: 'new' };
}
