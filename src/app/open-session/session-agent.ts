// The agent of a session with its conversation: a new one, or the one that goes on.
import { randomUUID } from 'node:crypto';
import { hostFiles } from '../../host/fs/host-files.ts';
import type { SessionId } from '../../names.ts';
import { findConversation } from '../../session/store/conversations.ts';
import { storedSession } from '../../session/store/saved-sessions.ts';
import { tool as findTool, keyTails } from '../../tools/list.ts';
import type { Conversation, Tool } from '../../tools/shape.ts';
import type { AppContext } from '../context.ts';
import type { OpenSessionRequest } from '../requests.ts';
import type { GitInside } from '../session-spec/git-identity.ts';
import type { SessionInputs } from '../session-spec/session-inputs.ts';
import { withGit } from '../session-spec/workspace-mount.ts';
import type { Place } from '../workspace.ts';
import { type AgentSetting, agentSetting } from './agent-process.ts';
import type { SelectedSession } from './select-session.ts';

/** A session that can be started. */
export interface ReadySession extends SelectedSession {
  readonly git: GitInside;
}

export interface Known {
  readonly session: SessionId;
  /** Its conversation is to go on. */
  readonly resumed: boolean;
  /** The store is made by this start. */
  readonly isNew: boolean;
  /** The session whose store was copied for this one. */
  readonly copyOf?: SessionId;
}

export function agentOf(
  app: AppContext,
  { mode, debug = false }: Pick<OpenSessionRequest, 'mode' | 'debug'>,
  { at, resolved, persistent, git }: Pick<ReadySession, 'at' | 'resolved' | 'persistent' | 'git'>,
  { variables, mounts }: SessionInputs,
  { session, resumed, isNew, copyOf = session }: Known,
): AgentSetting {
  const { settings } = resolved;
  const tool = findTool(settings['tool.name'], settings, app.env);
  return agentSetting(app, resolved, {
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
    given: variables,
    git,
    keyTails: keyTails(variables),
    mounts: withGit(at, mounts),
  });
}

/** Agents that are asked to resume where nothing was ever said end at once, so they are not asked. */
function lastConversation(
  app: AppContext,
  tool: Tool,
  id: SessionId,
  begun: SessionId,
  { target }: Place,
): Conversation {
  const { home } = app.user;
  if (tool.idsAreOurs) {
    const stored = storedSession(begun, { home, tool: tool.name }, hostFiles);
    const last = stored?.kind === 'saved' ? stored.metadata.conversation : undefined;
    return { kind: 'resume', id: last ?? begun };
  }
  const found = findConversation({ home, tool, id, workspace: target }, hostFiles);
  if (found !== undefined || !tool.newestConversation) return { kind: 'resume', id: found };
  app.report.info('Nothing was said in that session yet: a new conversation begins');
  return { kind: 'new' };
}
