// Named steps with undo: the one way in which coi changes anything that takes more than one call.
import type { Fault } from '../../host/process/fault.ts';

export interface Step<Context> {
  readonly name: string;
  /** What a person reads while it runs. */
  readonly title: string;
  readonly run: (context: Context, signal: AbortSignal) => Promise<void>;
  /** Takes back what `run` did or half did; also called for the step that failed. Not aborted by the signal. */
  readonly undo?: (context: Context) => Promise<void>;
}

export type StepEvent =
  | { readonly kind: 'started'; readonly name: string; readonly title: string }
  | { readonly kind: 'done'; readonly name: string; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly name: string; readonly tookMs: number }
  | { readonly kind: 'undo-failed'; readonly name: string; readonly error: unknown };

export interface StepWatch {
  readonly tell: (event: StepEvent) => void;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
}

/**
 * Runs the steps in order. When one throws or the signal aborts, undoes it and those before it in reverse, then
 * throws the first error. An undo that fails is told and does not keep the others from running.
 */
export async function runSteps<Context>(
  steps: readonly Step<Context>[],
  context: Context,
  watch: StepWatch,
): Promise<void> {
  const begun: Step<Context>[] = [];
  for (const step of steps) {
    const startedMs = watch.elapsedMs();
    watch.tell({ kind: 'started', name: step.name, title: step.title });
    begun.push(step);
    try {
      watch.signal.throwIfAborted();
      await step.run(context, watch.signal);
      watch.signal.throwIfAborted();
    } catch (error) {
      watch.tell({ kind: 'failed', name: step.name, tookMs: watch.elapsedMs() - startedMs });
      await undo(begun, context, watch);
      throw error;
    }
    watch.tell({ kind: 'done', name: step.name, tookMs: watch.elapsedMs() - startedMs });
  }
}

/** The same steps with a fault before or after one of them: for tests of what is left then. */
export function withFault<Context>(
  steps: readonly Step<Context>[],
  fault: Fault | undefined,
): readonly Step<Context>[] {
  if (!fault) return steps;
  return steps.map((step) => {
    if (step.name !== fault.step) return step;
    return {
      ...step,
      run: async (context, signal) => {
        if (fault.when === 'before') fault.strike();
        await step.run(context, signal);
        fault.strike();
      },
    };
  });
}

async function undo<Context>(
  begun: readonly Step<Context>[],
  context: Context,
  watch: StepWatch,
): Promise<void> {
  for (const step of begun.toReversed()) {
    try {
      await step.undo?.(context);
    } catch (error) {
      watch.tell({ kind: 'undo-failed', name: step.name, error });
    }
  }
}
