// Who asks coid to free a container that does not end.
import type { App } from '../app.ts';
import type { Free } from '../session/free.ts';

const limitMs = 10_000;

export function freeing(app: App): Free {
  return async ({ name, mountsId }) => {
    if (mountsId === undefined) return { aborted: 0, holders: [] };
    return (await app.coid()).free(name, mountsId, { timeoutMs: limitMs });
  };
}
