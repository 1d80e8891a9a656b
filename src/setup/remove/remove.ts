// Walks the steps of a removal and tells of each. It stops at the first that fails; the next run looks anew.
import type { SetupEvent } from '../setup.ts';
import type { RemoveGround } from './facts.ts';
import type { Step } from './plan.ts';
import { undo } from './undo.ts';

export interface RemoveOptions {
  /** Target of the link that was where setup put coi's. */
  readonly linkBefore: string | undefined;
  readonly tell: (event: SetupEvent) => void;
  readonly elapsedMs: () => number;
}

export async function removeAll(
  ground: RemoveGround,
  steps: readonly Step[],
  { linkBefore, tell, elapsedMs }: RemoveOptions,
): Promise<void> {
  for (const { title, plan, act } of steps) {
    ground.signal.throwIfAborted();
    const [check, startedMs] = [{ title }, elapsedMs()];
    const took = () => elapsedMs() - startedMs;
    tell({ kind: 'started', check, plan });
    try {
      await undo(ground, act, linkBefore);
    } catch (error) {
      tell({ kind: 'failed', check, error, elapsedMs: took() });
      throw error;
    }
    tell({ kind: 'ended', check, finding: { status: 'ok', message: 'gone' }, elapsedMs: took() });
  }
}
