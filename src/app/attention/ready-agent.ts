// Waits until an agent can take a message, and interrupts it if that is wanted.
import { setTimeout as delay } from 'node:timers/promises';
import { waitVerdict } from '../../attention/wait.ts';
import { CoiError } from '../../errors.ts';
import { refOf } from '../../session/record/container-ref.ts';
import type { Container } from '../../session/record/instance-record.ts';
import type { AppContext } from '../context.ts';
import { runInTmux } from '../terminal/tmux-commands.ts';
import { toolOf } from './container-activity.ts';
import { type Observation, observeActivity } from './observe-activity.ts';
import { asksError, waitError } from './session-errors.ts';

/** An agent that starts on a busy host needs longer than any that is ready. */
const startingMs = 60_000;
const interruptMs = 15_000;
const pressAgainMs = 1000;
/** Claude Code exits if the keys that empty its input box come again within this time. */
const clearedMs = 1200;

export interface ReadyRequest {
  readonly container: Container;
  /** End what the agent does; what is queued or in its input box is then discarded. */
  readonly interrupt: boolean;
  /** Whether agents whose activity coi cannot read are accepted. */
  readonly acceptUnknown: boolean;
}

/** Returns when the agent is idle or, if it has a key to submit with, works (without `interrupt`), or if that cannot be known. */
export async function untilReady(
  app: AppContext,
  request: ReadyRequest,
  signal: AbortSignal,
): Promise<Observation> {
  const { container, interrupt, acceptUnknown } = request;
  const { name } = container;
  const ref = refOf(container.instance);
  const pollMs = interrupt ? pressAgainMs : undefined;
  const interruption = interrupt ? new Interruption(app, container, signal) : undefined;
  for await (const seen of observeActivity(app, ref, signal, pollMs)) {
    const { activity } = seen;
    if (activity.kind === 'idle') {
      await interruption?.clear();
      return seen;
    }
    if (activity.kind === 'working') {
      // Enter would answer a dialog that opens while the agent works.
      if (!interruption && seen.agents.some(({ report }) => report)) continue;
      if (!interruption) return seen;
      await interruption.press();
      continue;
    }
    if (acceptUnknown && activity.kind === 'unknown' && activity.why === 'no-signal') return seen;
    const problem = cannotTake(name, seen);
    if (problem) throw problem;
  }
  throw waitError(name, 'ended', { kind: 'ended' });
}

/** Undefined if it may soon be able to. */
function cannotTake(name: string, { activity, forMs }: Observation): CoiError | undefined {
  if (activity.kind === 'asks') return asksError(name, activity, 'nothing was sent:');
  if (activity.kind === 'unknown' && activity.why === 'starting')
    return forMs < startingMs ? undefined : waitError(name, 'unknown', activity);
  const verdict = waitVerdict({ activity, forMs, hasTurnEnded: () => false }, ['idle']);
  return verdict.kind === 'failed' ? waitError(name, verdict.why, activity) : undefined;
}

class Interruption {
  readonly #app: AppContext;
  readonly #container: Container;
  readonly #signal: AbortSignal;
  #firstMs: number | undefined;
  #lastMs = 0;

  constructor(app: AppContext, container: Container, signal: AbortSignal) {
    this.#app = app;
    this.#container = container;
    this.#signal = signal;
  }

  /** Throws `failed` if the agent goes on working. */
  async press(): Promise<void> {
    const nowMs = this.#app.clock.elapsedMs();
    const { name } = this.#container;
    if (nowMs - (this.#firstMs ?? nowMs) > interruptMs)
      throw new CoiError('failed', `nothing was sent: the agent in ${name} did not stop`, {
        hint: `Run \`coi attach ${name}\` to see why.`,
      });
    // The first press may only take queued messages back.
    if (this.#firstMs !== undefined && nowMs - this.#lastMs < pressAgainMs) return;
    this.#firstMs ??= nowMs;
    this.#lastMs = nowMs;
    const keys = this.#keys();
    if (keys) await runInTmux(this.#app, name, 'keys', keys.interrupt);
  }

  /** Claude Code puts a message back into the input box if it was interrupted before it said anything. */
  async clear(): Promise<void> {
    const keys = this.#keys();
    if (this.#firstMs === undefined || !keys) return;
    await runInTmux(this.#app, this.#container.name, 'keys', keys.clear);
    await delay(clearedMs, undefined, { signal: this.#signal });
  }

  #keys() {
    return toolOf(this.#container)?.keys;
  }
}
