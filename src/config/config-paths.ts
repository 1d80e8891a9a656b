// Locations of configuration files.
export interface ConfigPaths {
  /** Home of the user that coi works for. */
  readonly home: string;
  /** Absolute path of the project directory. */
  readonly workspace: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directories in which agents have worked, each with all its names. Only called if $COI_CONFIG is set. */
  readonly agentWorkspaces: () => readonly (readonly string[])[];
}
