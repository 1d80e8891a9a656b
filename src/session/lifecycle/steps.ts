// Named steps with undo, used for every change that takes more than one call.
import type { Fault } from '../../host/process/fault.ts';

export interface Step<Context> {
  readonly name: string;
  /** Shown while it runs. */
  readonly title: string;
  readonly run: (context: Context, signal: AbortSignal) => Promise<void>;
  /** Undoes `run`, even if it completed only in part; also called for the failed step. The signal does not abort it. */
  readonly undo?: (context: Context) => Promise<void>;
}

export type StepEvent =
  | { readonly kind: 'started'; readonly name: string; readonly title: string }
  | { readonly kind: 'done'; readonly name: string; readonly tookMs: number }
  | { readonly kind: 'failed'; readonly name: string; readonly tookMs: number }
  | { readonly kind: 'undo-failed'; readonly name: string; readonly error: unknown };

export interface StepObserver {
  readonly report: (event: StepEvent) => void;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
}

/**
 * Runs the steps in order. If one throws or the signal aborts, undoes it and the earlier ones in reverse order, then throws
 * the first error. A failing undo is reported and does not prevent the others.
 */
export async function runSteps<Context>(
  steps: readonly Step<Context>[],
  context: Context,
  watch: StepObserver,
): Promise<void> {
  const begun: Step<Context>[] = [];
  for (const step of steps) {
    const startedMs = watch.elapsedMs();
    watch.report({ kind: 'started', name: step.name, title: step.title });
    begun.push(step);
    try {
      watch.signal.throwIfAborted();
      await step.run(context, watch.signal);
      watch.signal.throwIfAborted();
    } catch (error) {
      watch.report({ kind: 'failed', name: step.name, tookMs: watch.elapsedMs() - startedMs });
      await undo(begun, context, watch);
      throw error;
    }
    watch.report({ kind: 'done', name: step.name, tookMs: watch.elapsedMs() - startedMs });
  }
}

/** The same steps with a fault before or after one of them, for tests of the cleanup. */
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
        if (fault.when === 'before') fault.trigger();
        await step.run(context, signal);
        fault.trigger();
      },
    };
  });
}

async function undo<Context>(
  begun: readonly Step<Context>[],
  context: Context,
  watch: StepObserver,
): Promise<void> {
  for (const step of begun.toReversed()) {
    try {
      await step.undo?.(context);
    } catch (error) {
      watch.report({ kind: 'undo-failed', name: step.name, error });
    }
  }
}
