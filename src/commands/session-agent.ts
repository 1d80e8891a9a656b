// The agent of a session with its conversation: a new one, or the one that goes on.
import { randomUUID } from 'node:crypto';
import type { App } from '../app.ts';
import { hostFiles } from '../host/files.ts';
import type { SessionId } from '../names.ts';
import { findConversation } from '../session/conversations.ts';
import { guestHome } from '../session/environment.ts';
import { storedSession } from '../session/stored.ts';
import { tool as findTool, keyTails } from '../tools/list.ts';
import type { Conversation, Tool } from '../tools/shape.ts';
import type { GitInside } from './git-inside.ts';
import type { Meant, ShellOptions } from './meant.ts';
import { takenBy, withGit } from './place-in.ts';
import { extraMounts, type Place } from './prepare.ts';
import { type AgentSetting, agentSetting } from './tool.ts';

/** A session that can be brought up. */
export interface Ready extends Meant {
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
  /** Variables that the agent gets from the user. */
  readonly given: Readonly<Record<string, string>>;
}

export function agentOf(
  app: App,
  options: ShellOptions,
  { at, resolved, persistent, git }: Pick<Ready, 'at' | 'resolved' | 'persistent' | 'git'>,
  { session, resumed, isNew, copyOf = session, given }: Known,
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
    debug: options.debug ?? false,
    headless: options.headless ?? false,
    attaches: !(options.headless || options.background),
    persistent,
    given,
    git,
    keyTails: keyTails(given),
    mounts: withGit(
      at,
      extraMounts(app, options, resolved, {
        workspace: at.workspace,
        taken: [...takenBy(at), ...tool.stateDirs.map((dir) => `${guestHome}/${dir}`)],
      }),
    ),
  });
}

/** Agents that are asked to resume where nothing was ever said end at once, so they are not asked. */
function lastConversation(
  app: App,
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
  app.io.tell('Nothing was said in that session yet: a new conversation begins');
  return { kind: 'new' };
}
