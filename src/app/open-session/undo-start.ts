// Undoes a start that is interrupted before the agent has opened, and reports what is left.
import { CoiError } from '../../errors.ts';
import type { Incus } from '../../incus/client.ts';
import type { ContainerName } from '../../names.ts';
import { killContainer } from '../../session/lifecycle/end-container.ts';
import { ToolMissing } from '../../session/lifecycle/secret-handover.ts';
import type { StepEvent } from '../../session/lifecycle/steps.ts';
import type { ContainerRef } from '../../session/record/container-ref.ts';
import type { AppContext } from '../context.ts';

export interface UndoableStart {
  readonly container: ContainerName;
  /** Undoes the start; undefined for a container that already ran. */
  readonly undoStart: (() => Promise<void>) | undefined;
}

/** Waits for the agent in a container that was just started. Undoes the start and throws `cancelled` if interrupted. */
export async function undoIfInterrupted<T>(
  app: AppContext,
  started: UndoableStart,
  opening: Promise<T>,
): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (!app.signal.aborted || error instanceof ToolMissing) throw error;
    const { container, undoStart } = started;
    const cause = app.signal.reason;
    if (!undoStart)
      throw interrupted(
        cause,
        '',
        `${container} is still running; attach to it with \`coi attach ${container}\`.`,
      );
    const progress = app.progress();
    progress.update({ kind: 'started', name: 'undo', title: 'Undoing the start' });
    try {
      await undoStart();
    } catch (problem) {
      progress.clear();
      app.report.warn(problem instanceof Error ? problem.message : String(problem));
      throw undoFailed(cause, `Run \`coi kill ${container}\` to end what is left.`);
    } finally {
      progress.clear();
    }
    throw interrupted(cause, undone);
  }
}

const undoMs = 60_000;

/** Removes the container of a new session, and its store if it is new. The interrupt does not stop this. */
export async function removeNewSession(
  incus: Incus,
  ref: ContainerRef,
  discardStore: () => Promise<void>,
): Promise<void> {
  await killContainer(incus, ref, AbortSignal.timeout(undoMs));
  await discardStore();
}

const undone = '; the start was undone';

/** Watches the steps of a start, which undo themselves, to explain an interrupt. */
export function undoWatch() {
  const seen = new Set<StepEvent['kind']>();
  return {
    update: ({ kind }: StepEvent) => void seen.add(kind),
    /** Adds the outcome of the undo to the error. */
    explain: (error: unknown): unknown => {
      if (!(error instanceof CoiError) || error.code !== 'cancelled' || !seen.has('failed'))
        return error;
      return seen.has('undo-failed')
        ? undoFailed(error, 'Run `coi list` to see what is left.')
        : interrupted(error, undone);
    },
  };
}

function undoFailed(cause: unknown, hint: string): unknown {
  return interrupted(cause, '; the start could not be undone', hint);
}

/** Users of the library abort with a reason of their own, which is not changed. */
function interrupted(cause: unknown, more: string, hint?: string): unknown {
  if (!(cause instanceof CoiError)) return cause;
  const { exit, message } = cause;
  return new CoiError('cancelled', `${message}${more}`, { cause, exit, hint });
}
