// What Incus refuses because the instance is just being changed was not begun, so it is asked for again.
// Source: internal/server/instance/operationlock of Incus, whose refusal has no status of its own.
import { setTimeout as delay } from 'node:timers/promises';
import { IncusError, type Operation } from './client.ts';

/** A change takes some tens of milliseconds; with a loaded machine a second. */
const changeLimitMs = 5000;
const againMs = 50;
const refusal = 'Instance is busy running a "update" operation';

/**
 * The operation that `start` begins; its `wait` begins it again, for some seconds, while a change of the instance is in
 * the way, as coid makes them.
 */
export async function afterChanges(start: () => Promise<Operation>): Promise<Operation> {
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
