// The ids that guarded inodes get as their owner or their group while a session runs: no mount of any session shows
// them, and no account has them. They lie in a range that systemd's list of ids leaves unused (systemd.io/UIDS-GIDS).

/** Directories directly in the workspace, and at every second level below, that may be entered but not be replaced. */
const oddId = 0x7000c001;
/** The levels between. */
const evenId = 0x7000c002;
/** What may not be changed at all. */
export const leafId = 0x7000c003;

export const guardIds: readonly number[] = [oddId, evenId, leafId];

export function ancestorId(depth: number): number {
  return depth % 2 === 1 ? oddId : evenId;
}

/** What an ancestor's own mount leaves out: all but its own id, so that it can be written in there. */
export function leftOut(depth: number): readonly number[] {
  return guardIds.filter((id) => id !== ancestorId(depth));
}
