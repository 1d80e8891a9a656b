// The ids that guarded inodes get as owner or group while a session runs: no session's mount maps them, and no account
// has them. They lie in a range that systemd lists as unused (systemd.io/UIDS-GIDS).

/** For directories at odd depths of the workspace that may be entered but not replaced. */
const oddId = 0x7000c001;
/** For such directories at even depths. */
const evenId = 0x7000c002;
/** For entries that may not be changed at all. */
export const leafId = 0x7000c003;

export const guardIds: readonly number[] = [oddId, evenId, leafId];

export function ancestorId(depth: number): number {
  return depth % 2 === 1 ? oddId : evenId;
}

/** Ids that an ancestor's own mount does not map: all but its own id, so that it is writable there. */
export function unmappedIds(depth: number): readonly number[] {
  return guardIds.filter((id) => id !== ancestorId(depth));
}
