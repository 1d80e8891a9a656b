// Runs the steps of a removal and reports each. Stops at the first failure; the next run makes a new plan.
import type { SetupEvent } from '../setup.ts';
import type { RemoveContext } from './facts.ts';
import type { Step } from './plan.ts';
import { undoStep } from './undo-step.ts';

export interface RemoveOptions {
  /** Target of the link that setup replaced by its own. */
  readonly linkBefore: string | undefined;
  readonly onEvent: (event: SetupEvent) => void;
  readonly elapsedMs: () => number;
}

export async function removeAll(
  context: RemoveContext,
  steps: readonly Step[],
  { linkBefore, onEvent, elapsedMs }: RemoveOptions,
): Promise<void> {
  for (const { title, plan, action } of steps) {
    context.signal.throwIfAborted();
    const [check, startedMs] = [{ title }, elapsedMs()];
    const took = () => elapsedMs() - startedMs;
    onEvent({ kind: 'started', check, plan });
    try {
      await undoStep(context, action, linkBefore);
    } catch (error) {
      onEvent({ kind: 'failed', check, error, elapsedMs: took() });
      throw error;
    }
    onEvent({
      kind: 'ended',
      check,
      finding: { status: 'ok', message: 'removed' },
      elapsedMs: took(),
    });
  }
}
