// What `coi list` adds for a person at a terminal, and for JSON: who is attached, and what saved sessions are about.
import { CoiError } from '../../../errors.ts';
import { hostFiles } from '../../../host/fs/host-files.ts';
import { withTerminal } from '../../../session/record/attached.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import type { ListedContainer, SavedRow, SessionList } from '../../../session/record/listing.ts';
import { findContainer } from '../../../session/record/lookup.ts';
import type { SessionMetadata } from '../../../session/record/metadata.ts';
import { firstWords, wordsBudget } from '../../../session/store/first-words.ts';
import { storedSession } from '../../../session/store/saved-sessions.ts';
import { tools } from '../../../tools/list.ts';
import type { App } from '../../app.ts';
import { listTable } from '../../ui/views/list-table.ts';

/** Incus has the answer at hand; whoever is slower is not waited for. */
const operationsMs = 2000;

export interface LiveFacts {
  /** Undefined where Incus did not say. */
  readonly withTerminal: ReadonlySet<string> | undefined;
}

/** One cheap call, beside the one that lists. What it cannot tell stays open: the list is worth having without it. */
export async function liveFacts(app: App): Promise<LiveFacts> {
  try {
    const incus = await app.incus();
    const operations = await incus.operations({ signal: app.signal, timeoutMs: operationsMs });
    return { withTerminal: withTerminal(operations) };
  } catch {
    app.signal.throwIfAborted();
    return { withTerminal: undefined };
  }
}

export function ofContainer(
  app: App,
  container: Container,
  all: readonly Container[],
  facts: LiveFacts,
): Pick<ListedContainer, 'attached' | 'called' | 'lastAttached'> {
  const { name, session } = container;
  const attached = facts.withTerminal?.has(name);
  if (!session) return { attached, called: name };
  const { alias, slot } = session;
  const words = alias === undefined ? [] : [alias, `${alias}-${slot}`];
  const called = words.find((word) => found(app, all, word) === container) ?? name;
  // Another user's store is that user's.
  const stored =
    session.owner === app.user.uid
      ? storedSession(session.session, { home: app.user.home, tool: session.tool }, hostFiles)
      : undefined;
  const lastAttached = stored?.kind === 'saved' ? stored.metadata.attachedAt : undefined;
  return { attached, called, lastAttached };
}

/** Undefined also where the word means several. */
function found(app: App, all: readonly Container[], word: string): Container | undefined {
  try {
    return findContainer(app, all, word);
  } catch (error) {
    if (error instanceof CoiError) return undefined;
    throw error;
  }
}

/** For each saved session in turn: the first that are asked for may use up what may be read. */
export function ofSaved(app: App): (metadata: SessionMetadata) => Partial<SavedRow> {
  // Only those that coi knows: what a user's own tool keeps is not known.
  const known = tools({ tools: {} });
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
    columns: app.io.columns.answer,
    style: app.io.style,
  });
}
