// Who asks coid to free a container that does not end.
import { MountTable } from '../../host/fs/meta/remote-mounts.ts';
import type { Free } from '../../session/lifecycle/free-stuck.ts';
import type { AppContext } from '../context.ts';

const limitMs = 10_000;

export function freeing(app: AppContext): Free {
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
