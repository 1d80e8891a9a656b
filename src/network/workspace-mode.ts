// One workspace has one network mode at a time: sessions that share a directory can talk through sockets in it. Pure.
import type { NetworkMode } from '../daemon/protocol.ts';

export interface LiveSession {
  readonly container: string;
  /** Real path of its workspace. */
  readonly workspace: string;
  readonly mode: NetworkMode;
}

/** A live session that shares files with a new one in `workspace` and has another mode; undefined if there is none. */
export function otherMode(
  workspace: string,
  mode: NetworkMode,
  live: readonly LiveSession[],
): LiveSession | undefined {
  return live.find(
    (session) =>
      session.mode !== mode &&
      (isInside(session.workspace, workspace) || isInside(workspace, session.workspace)),
  );
}

function isInside(path: string, directory: string): boolean {
  return (
    path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`)
  );
}
