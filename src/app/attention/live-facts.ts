// What `coi list` shows of running containers beside their configuration.
import { containersWithTerminal } from '../../session/record/attached-containers.ts';
import type { AppContext } from '../context.ts';
import { viewedContainers } from '../events/viewers.ts';

/** Incus answers at once; a slower answer is not worth the wait. */
const operationsMs = 2000;

export interface LiveFacts {
  /** Undefined if Incus did not answer. */
  readonly withTerminal: ReadonlySet<string> | undefined;
  /** Containers that the user looks at now. */
  readonly viewed: ReadonlySet<string>;
}

/** One cheap call, in parallel with the list. Errors are ignored: the list is useful without it. */
export async function liveFacts(app: AppContext): Promise<LiveFacts> {
  const viewed = viewedContainers(app);
  try {
    const incus = await app.incus();
    const operations = await incus.operations({ signal: app.signal, timeoutMs: operationsMs });
    return { withTerminal: containersWithTerminal(operations), viewed };
  } catch {
    app.signal.throwIfAborted();
    return { withTerminal: undefined, viewed };
  }
}
