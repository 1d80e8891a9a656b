// Asks coid to free a container that does not end.
import { MountTable } from '../../host/fs/meta/remote-mounts.ts';
import type { FreeStuck } from '../../session/lifecycle/free-stuck.ts';
import type { AppContext } from '../context.ts';

const limitMs = 10_000;

export function freeWithCoid(app: AppContext): FreeStuck {
  return async ({ name, mountsId }, sources) => {
    const nothing = { aborted: 0, holders: [] };
    if (mountsId === undefined || (sources && areLocal(sources))) return nothing;
    return (await app.coid()).freeStuck(name, mountsId, { timeoutMs: limitMs });
  };
}

function areLocal(paths: readonly string[]): boolean {
  const table = new MountTable();
  return paths.every((path) => table.remoteMountsOn(path).length === 0);
}
