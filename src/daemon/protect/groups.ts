// The groups that guarded inodes get while a session runs: no mount of any session shows them, and no account has them.
// They lie in a range that systemd's list of ids leaves unused on purpose (systemd.io/UIDS-GIDS, 0x70000000 and up).

/** Directories directly in the workspace, and at every second level below, that may be entered but not be replaced. */
export const oddGroup = 0x7000c001;
/** The levels between. */
export const evenGroup = 0x7000c002;
/** What may not be changed at all. */
export const leafGroup = 0x7000c003;

export const guardGroups: readonly number[] = [oddGroup, evenGroup, leafGroup];

export function ancestorGroup(depth: number): number {
  return depth % 2 === 1 ? oddGroup : evenGroup;
}

/** What an ancestor's own mount leaves out: all but its own group, so that it can be written in there. */
export function leftOut(depth: number): readonly number[] {
  return guardGroups.filter((group) => group !== ancestorGroup(depth));
}
