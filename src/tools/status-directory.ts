// Where an agent's processes tell the host what they do: a directory in one of the agent's state directories.

/** The environment variable with its path in the container. */
export const statusVariable = 'COI_STATUS_DIR';

/** Has the exit status of the session's agent, when it has ended. */
export const exitFile = 'exited';

export function statusDirectoryIn(stateDir: string): string {
  return `${stateDir}/coi-status`;
}
