// What is noted of a session before it begins, since its container may be gone again before coid sees it.
import type { MountRecord, ReserveRequest } from '../../coid-api/session-protocol.ts';
import type { Ownership } from '../cleanup/ownership.ts';
import type { SetIds } from '../cleanup/set-id-sweeper.ts';

export interface Ends {
  begin(
    mounts: MountRecord,
    container: string,
    request: Pick<ReserveRequest, 'workspace' | 'persistent'>,
  ): void;
  /** It did not begin after all. */
  forget(id: string): void;
}

export function endsOf(
  setIds: Pick<SetIds, 'begin' | 'forget'>,
  ownership: Pick<Ownership, 'begin' | 'forget'>,
): Ends {
  return {
    begin: (mounts, container, { workspace, persistent }) => {
      setIds.begin(mounts, container, workspace);
      if (!persistent) ownership.begin(mounts, container);
    },
    forget: (id) => {
      setIds.forget(id);
      ownership.forget(id);
    },
  };
}
