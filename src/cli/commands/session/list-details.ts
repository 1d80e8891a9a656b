// Details that `coi list` adds on a terminal and in JSON: attached terminals, and the first words of saved sessions.
import { containerActivity } from '../../../app/attention/container-activity.ts';
import type { LiveFacts } from '../../../app/attention/live-facts.ts';
import { seenMs } from '../../../app/events/viewers.ts';
import { readTreeOf } from '../../../app/trees/tree-store.ts';
import { isUnseen } from '../../../attention/activity.ts';
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { findContainer } from '../../../session/record/find-container.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { ListedContainer, SavedRow, SessionList } from '../../../session/record/listing.ts';
import type { SessionMetadata } from '../../../session/record/metadata.ts';
import { firstWords, wordsBudget } from '../../../session/store/first-words.ts';
import { storedSession } from '../../../session/store/saved-sessions.ts';
import { allTools } from '../../../tools/list.ts';
import type { App } from '../../app.ts';
import { listTable } from '../../ui/views/list-table.ts';

export { liveFacts } from '../../../app/attention/live-facts.ts';

export function containerDetails(
  app: App,
  container: Container,
  all: readonly Container[],
  facts: LiveFacts,
): Pick<ListedContainer, 'attached' | 'called' | 'lastAttached' | 'activity' | 'unseen' | 'tree'> {
  const { name, session } = container;
  const attached = facts.withTerminal?.has(name);
  if (!session) return { attached, called: name };
  const { alias, slot } = session;
  const words = alias === undefined ? [] : [alias, `${alias}-${slot}`];
  const called = words.find((word) => findUnique(app, all, word) === container) ?? name;
  // The session store of another user is not read.
  const stored =
    session.owner === app.user.uid
      ? storedSession(session.session, { home: app.user.home, tool: session.tool }, hostFiles)
      : undefined;
  const lastAttached = stored?.kind === 'saved' ? stored.metadata.attachedAt : undefined;
  const activity = containerActivity(app, container);
  const unseen =
    activity !== undefined &&
    session.owner === app.user.uid &&
    !facts.viewed.has(name) &&
    isUnseen(activity, seenMs(app, session.session));
  const own = readTreeOf(app.user.home, session.workspace)?.record;
  const tree = own && {
    name: own.name,
    branch: own.branch,
    repository: own.repository,
    changes: own.counts,
  };
  return { attached, called, lastAttached, activity, unseen, tree };
}

/** Undefined also if the word is ambiguous. */
function findUnique(app: App, all: readonly Container[], word: string): Container | undefined {
  try {
    return findContainer(app, all, word);
  } catch (error) {
    if (error instanceof CoiError) return undefined;
    throw error;
  }
}

/** Details of each saved session. The read limit is shared, so the first ones may use it up. */
export function savedDetails(app: App): (metadata: SessionMetadata) => Partial<SavedRow> {
  // Built-in agents only: the format of custom ones is unknown.
  const known = allTools({ tools: {} });
  const budget = wordsBudget();
  return (metadata) => {
    const tool = known.find(({ name }) => name === metadata.tool);
    const session = tool && { home: app.user.home, id: metadata.sessionId, tool };
    return {
      tool: metadata.tool,
      slot: metadata.slot,
      container: metadata.container,
      persistent: metadata.persistent,
      profile: metadata.profile,
      lastAttached: metadata.attachedAt,
      firstWords: session && firstWords(session, budget, hostFiles),
    };
  };
}

export function tableLines(app: App, model: SessionList): string[] {
  return listTable(model, {
    nowMs: app.clock.now().getTime(),
    home: app.user.home,
    columns: app.io.columns.stdout,
    style: app.io.stdoutStyle,
  });
}
