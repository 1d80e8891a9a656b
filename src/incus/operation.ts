// Background operations: waiting is a long-poll GET that the daemon answers at the end.
import type { Api } from './call.ts';
import { timedOut } from './call.ts';
import { type CallOptions, IncusError, type Operation } from './client.ts';
import { withDeadline } from './deadline.ts';
import type { OperationData } from './shapes.ts';

/** Creating, starting and stopping take seconds; callers that publish an image set a longer limit. */
const waitLimitMs = 120_000;
/** The limit of one GET, so that a dead daemon is noticed. */
const sliceSeconds = 20;
const sliceLimitMs = (sliceSeconds + 10) * 1000;

/** Status codes from here on are final (doc/rest-api.md, "Status codes"). */
const succeeded = 200;

export function operationOf(api: Api, data: OperationData): Operation {
  return {
    id: data.id,
    wait: (options = {}) => waitOrThrow(api, data.id, options),
    cancel: async (options) => {
      await api.call('DELETE', `/operations/${data.id}`, undefined, options);
    },
  };
}

async function waitOrThrow(api: Api, id: string, options: CallOptions): Promise<OperationData> {
  const path = `/1.0/operations/${id}`;
  const timeoutMs = options.timeoutMs ?? waitLimitMs;
  const done = await withDeadline(
    options,
    timeoutMs,
    timedOut({ method: 'GET', path }, timeoutMs),
    (signal) => waitUntilDone(api, id, signal),
  );
  if (done.status_code === succeeded) return done;
  throw new IncusError({
    status: done.status_code,
    method: 'GET',
    path,
    message: done.err || done.status,
  });
}

/** Waits without a time limit and returns a failed operation like a successful one. */
export async function waitUntilDone(
  api: Api,
  id: string,
  signal: AbortSignal,
): Promise<OperationData> {
  const path = `/operations/${id}`;
  for (;;) {
    const begun = performance.now();
    try {
      return await api.get<OperationData>(`${path}/wait?timeout=${sliceSeconds}`, {
        signal,
        timeoutMs: sliceLimitMs,
        longPoll: true,
      });
    } catch (error) {
      // A failed operation and the end of a slice are both error replies; the operation tells which.
      if (!(error instanceof IncusError) || error.status === 0) throw error;
      const found = await api.find<OperationData>(path, { signal });
      if (found === undefined) throw error;
      if (found.value.status_code >= succeeded) return found.value;
      if (performance.now() - begun < (sliceSeconds - 1) * 1000) throw error;
    }
  }
}
