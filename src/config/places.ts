// Where configuration is looked for.
export interface Places {
  /** Home of the user that coi works for. */
  readonly home: string;
  /** Absolute path of the project directory. */
  readonly workspace: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directories in which agents have worked, each under its names. Read only where $COI_CONFIG names a file. */
  readonly workedIn: () => readonly (readonly string[])[];
}
