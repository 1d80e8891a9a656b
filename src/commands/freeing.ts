// Who asks coid to free a container that does not end.
import type { App } from '../app.ts';
import { MountTable } from '../host/remote-mounts.ts';
import type { Free } from '../session/free.ts';

const limitMs = 10_000;

export function freeing(app: App): Free {
  return async ({ name, mountsId }, sources) => {
    const nothing = { aborted: 0, holders: [] };
    if (mountsId === undefined || (sources && areLocal(sources))) return nothing;
    return (await app.coid()).free(name, mountsId, { timeoutMs: limitMs });
  };
}

function areLocal(paths: readonly string[]): boolean {
  const table = new MountTable();
  return paths.every((path) => table.on(path).length === 0);
}
