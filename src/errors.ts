// Every failure that coi expects, in one table. Anything else that reaches main is a bug.

/** The list of what can go wrong; `exit` is the exit status, `about` goes into the reference. */
export const errorCodes = {
  usage: { exit: 2, about: 'The command line does not fit the command.' },
  'config-invalid': { exit: 1, about: 'A configuration file has a wrong key or value.' },
  'incus-unreachable': { exit: 1, about: 'The Incus socket is missing or does not answer.' },
  'incus-forbidden': { exit: 1, about: 'The Incus socket may not be opened by this user.' },
  'incus-too-old': { exit: 1, about: 'The Incus server lacks a capability that coi needs.' },
  'incus-failed': { exit: 1, about: 'Incus refused or failed an operation.' },
  'coid-unreachable': {
    exit: 1,
    about: 'coid, the service that makes mounts and guards, does not answer.',
  },
  'coid-version': { exit: 1, about: 'coid and coi are of different versions.' },
  'coid-failed': { exit: 1, about: 'coid refused or failed a request.' },
  'image-missing': { exit: 1, about: 'The image does not exist.' },
  'image-build-failed': { exit: 1, about: 'Building the image failed.' },
  'workspace-invalid': {
    exit: 1,
    about: 'The workspace is missing, not a directory, unreadable or unsafe to mount.',
  },
  'mount-invalid': { exit: 1, about: 'An extra mount cannot be made.' },
  'slot-taken': { exit: 1, about: 'No slot is free, or the wanted one is in use.' },
  'session-not-found': { exit: 1, about: 'There is no such session or container.' },
  'session-live': { exit: 1, about: 'The session is running, so it cannot be used a second time.' },
  'session-asks': { exit: 1, about: 'The agent waits for an answer to a dialog of its own.' },
  'session-failed': { exit: 1, about: 'The session could not be started or ended.' },
  'store-unusable': { exit: 1, about: 'The session store cannot be read or written safely.' },
  'alias-invalid': {
    exit: 1,
    about: 'The alias is malformed, unknown or claimed by another workspace.',
  },
  'profile-not-found': { exit: 1, about: 'There is no such profile.' },
  'tool-missing': { exit: 1, about: 'The image does not contain the agent.' },
  'tool-unknown': { exit: 1, about: 'There is no such tool.' },
  'network-unprotected': { exit: 1, about: 'The network guard could not be put in force.' },
  'network-mode': {
    exit: 1,
    about: 'Another session of this workspace has another network mode.',
  },
  'unprotected-path': { exit: 1, about: 'A path could not be protected.' },
  'needs-root': { exit: 1, about: 'The command has to be run as root.' },
  'setup-failed': { exit: 1, about: 'The host could not be made ready.' },
  'no-terminal': { exit: 1, about: 'The command needs a terminal.' },
  timeout: { exit: 1, about: 'Something took longer than its limit.' },
  cancelled: {
    exit: 130,
    about: 'The command was interrupted (143 by SIGTERM, 129 by SIGHUP).',
  },
  failed: { exit: 1, about: 'The command could not do its work.' },
} as const satisfies Record<string, { exit: number; about: string }>;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorDetails {
  /** What to do about it: one sentence, imperative. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** The exit status where it is not that of the code. */
  readonly exit?: number | undefined;
}

/** A failure that was expected: `code` for programs, `message` and `hint` for people. */
export class CoiError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exit: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'CoiError';
    this.code = code;
    this.hint = details.hint;
    this.exit = details.exit;
  }
}

/** What `coi run` returns when coi itself failed: any other status may be that of the command, as with docker and env(1). */
const ownFailure = 125;

/** The exit status for an error that ended that command of coi's. */
export function exitStatusOf({ code, exit }: CoiError, command: string | undefined): number {
  const status: number = exit ?? errorCodes[code].exit;
  return command === 'run' && status === 1 ? ownFailure : status;
}

/** Ends the program with a status and no further words: what had to be said was said. */
export class ExitStatus extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit status ${status}`);
    this.name = 'ExitStatus';
    this.status = status;
  }
}
