// Retries operations that Incus refuses because the instance is being updated; a refused operation has not begun.
// Source: internal/server/instance/operationlock of Incus, whose refusal has no specific status.
import { setTimeout as delay } from 'node:timers/promises';
import { IncusError, type Operation } from './client.ts';

/** An update takes some tens of milliseconds, a second on a loaded machine. */
const changeLimitMs = 5000;
const againMs = 50;
const refusal = 'Instance is busy running a "update" operation';

/**
 * Starts an operation. For some seconds, its `wait` restarts it while an update of the instance, for example by coid, is in
 * progress.
 */
export async function retryWhileUpdating(start: () => Promise<Operation>): Promise<Operation> {
  let operation = await start();
  return {
    get id() {
      return operation.id;
    },
    wait: async (options) => {
      const endMs = performance.now() + changeLimitMs;
      for (;;) {
        try {
          return await operation.wait(options);
        } catch (error) {
          if (!isChanging(error) || performance.now() > endMs) throw error;
          await delay(againMs);
          options?.signal?.throwIfAborted();
          operation = await start();
        }
      }
    },
    cancel: (options) => operation.cancel(options),
  };
}

function isChanging(error: unknown): boolean {
  return error instanceof IncusError && error.message.includes(refusal);
}
