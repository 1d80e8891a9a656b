// Notes about a session, saved before it starts, because its container may be gone before coid sees it.
import type { MountRecord, ReserveRequest } from '../../coid-api/session-protocol.ts';
import type { Ownership } from '../cleanup/ownership.ts';
import type { SetIdSweeper } from '../cleanup/set-id-sweeper.ts';

export interface SessionNotes {
  begin(
    mounts: MountRecord,
    container: string,
    request: Pick<ReserveRequest, 'workspace' | 'persistent'>,
  ): void;
  /** The session did not start after all. */
  forget(id: string): void;
}

export function sessionNotes(
  setIds: Pick<SetIdSweeper, 'begin' | 'forget'>,
  ownership: Pick<Ownership, 'begin' | 'forget'>,
): SessionNotes {
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
