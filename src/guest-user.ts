// The user that agents are in every image. On the host its files have the ids of the workspace's owner.
export const agentIds = { uid: 1000, gid: 1000 } as const;
export const agentUser = { ...agentIds, name: 'code', home: '/home/code' } as const;

/** As a command inside is started. */
export const asAgent = { user: agentIds.uid, group: agentIds.gid } as const;
