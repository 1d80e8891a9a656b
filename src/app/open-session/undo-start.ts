// A start that is interrupted before the agent has opened: it is undone, and what is left is told.
import { CoiError } from '../../errors.ts';
import type { Incus } from '../../incus/client.ts';
import type { ContainerName } from '../../names.ts';
import { killContainer } from '../../session/lifecycle/end-container.ts';
import { ToolMissing } from '../../session/lifecycle/secret-handover.ts';
import type { StepEvent } from '../../session/lifecycle/steps.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import type { AppContext } from '../context.ts';

export interface Started {
  readonly container: ContainerName;
  /** Undoes the start; undefined for a container that ran before. */
  readonly takeBack: (() => Promise<void>) | undefined;
}

/** What is opened in a machine that was just started. Throws `cancelled` when it was interrupted before that. */
export async function orUndone<T>(
  app: AppContext,
  started: Started,
  opening: Promise<T>,
): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (!app.signal.aborted || error instanceof ToolMissing) throw error;
    const { container, takeBack } = started;
    const cause = app.signal.reason;
    if (!takeBack)
      throw interrupted(
        cause,
        '',
        `${container} runs on; attach to it with \`coi attach ${container}\`.`,
      );
    const progress = app.progress();
    progress.tell({ kind: 'started', name: 'undo', title: 'Undoing the start' });
    try {
      await takeBack();
    } catch (problem) {
      progress.clear();
      app.report.warn(problem instanceof Error ? problem.message : String(problem));
      throw left(cause, `\`coi kill ${container}\` ends what is left.`);
    } finally {
      progress.clear();
    }
    throw interrupted(cause, undone);
  }
}

const takeBackMs = 60_000;

/** Of a new session: its container, and its store where it had none before. Not ended by the interrupt. */
export async function takenBack(
  incus: Incus,
  ref: ContainerRef,
  discardStore: () => Promise<void>,
): Promise<void> {
  await killContainer(incus, ref, AbortSignal.timeout(takeBackMs));
  await discardStore();
}

const undone = '; the start was undone';

/** Follows the steps of a start, which undo themselves, for the words about an interrupt. */
export function undoWatch() {
  const seen = new Set<StepEvent['kind']>();
  return {
    tell: ({ kind }: StepEvent) => void seen.add(kind),
    /** The error with what became of the start. */
    told: (error: unknown): unknown => {
      if (!(error instanceof CoiError) || error.code !== 'cancelled' || !seen.has('failed'))
        return error;
      return seen.has('undo-failed')
        ? left(error, '`coi list` shows what is left.')
        : interrupted(error, undone);
    },
  };
}

function left(cause: unknown, hint: string): unknown {
  return interrupted(cause, '; the start could not be undone', hint);
}

/** Who uses coi as a library interrupts with a reason of its own. */
function interrupted(cause: unknown, more: string, hint?: string): unknown {
  if (!(cause instanceof CoiError)) return cause;
  const { exit, message } = cause;
  return new CoiError('cancelled', `${message}${more}`, { cause, exit, hint });
}
