// The agent's user in every image. On the host its files have the ids of the workspace's owner.
export const agentIds = { uid: 1000, gid: 1000 } as const;
export const agentUser = { ...agentIds, name: 'code', home: '/home/code' } as const;

/** Exec parameters of a command that runs as this user. */
export const asAgent = { user: agentIds.uid, group: agentIds.gid } as const;
