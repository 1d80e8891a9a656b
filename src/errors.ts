// The table of expected errors. Any other error that reaches main is a bug.

/** `exit` is the exit status, `about` the description in the reference. */
export const errorCodes = {
  usage: { exit: 2, about: 'The command line is invalid.' },
  'config-invalid': { exit: 1, about: 'A configuration file has a wrong key or value.' },
  'incus-unreachable': { exit: 1, about: 'The Incus socket is missing or does not answer.' },
  'incus-forbidden': { exit: 1, about: 'This user may not open the Incus socket.' },
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
  'slot-taken': { exit: 1, about: 'No slot is free, or the requested one is in use.' },
  'session-not-found': { exit: 1, about: 'The session or container does not exist.' },
  'session-live': { exit: 1, about: 'The session is already running.' },
  'session-asks': { exit: 3, about: 'The agent waits for an answer to a question or a dialog.' },
  'ask-gone': { exit: 1, about: 'The question is no longer open, or was answered elsewhere.' },
  'ask-not-answerable': {
    exit: 1,
    about: 'Only the terminal of the agent can answer the question.',
  },
  'answer-unconfirmed': { exit: 4, about: 'It is unknown whether the agent took the answer.' },
  'session-ended': { exit: 1, about: 'The session or its agent has ended.' },
  'session-paused': { exit: 1, about: 'The session is paused.' },
  'status-unknown': { exit: 1, about: 'It is unknown what the agent does.' },
  'send-unconfirmed': { exit: 4, about: 'It is unknown whether the agent received the message.' },
  'session-failed': { exit: 1, about: 'The session could not be started or ended.' },
  'store-unusable': { exit: 1, about: 'The session store cannot be read or written safely.' },
  'alias-invalid': {
    exit: 1,
    about: 'The alias is malformed, unknown or in use by another workspace.',
  },
  'profile-not-found': { exit: 1, about: 'The profile does not exist.' },
  'tool-missing': { exit: 1, about: 'The image does not contain the agent.' },
  'tool-unknown': { exit: 1, about: 'The agent is unknown.' },
  'network-unprotected': { exit: 1, about: 'The network guard could not be activated.' },
  'network-mode': {
    exit: 1,
    about: 'Another session of this workspace uses a different network mode.',
  },
  'unprotected-path': { exit: 1, about: 'A path could not be protected.' },
  'tree-unsupported': {
    exit: 1,
    about: 'The repository has something that a tree of its own cannot have yet.',
  },
  'tree-not-found': { exit: 1, about: 'The tree does not exist.' },
  'tree-exists': { exit: 1, about: 'The tree or its branch already exists.' },
  'tree-in-use': { exit: 1, about: 'A container still uses the tree.' },
  'tree-unmerged': { exit: 1, about: 'The tree has changes that are not merged.' },
  'tree-failed': { exit: 1, about: 'A git operation on a tree or its repository failed.' },
  'merge-conflict': { exit: 1, about: 'The changes conflict with those in the repository.' },
  'merge-refused': { exit: 1, about: 'The state of the repository does not allow the merge.' },
  'needs-root': { exit: 1, about: 'The command must be run as root.' },
  'setup-failed': { exit: 1, about: 'The host could not be prepared.' },
  'no-terminal': { exit: 1, about: 'The command needs a terminal.' },
  timeout: { exit: 1, about: 'An operation took longer than its time limit.' },
  cancelled: {
    exit: 130,
    about: 'The command was interrupted (143 by SIGTERM, 129 by SIGHUP).',
  },
  failed: { exit: 1, about: 'The command failed.' },
} as const satisfies Record<string, { exit: number; about: string }>;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorDetails {
  /** How to fix it: one sentence, imperative. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** The exit status, if it differs from that of the code. */
  readonly exit?: number | undefined;
}

/** An expected error: `code` for programs, `message` and `hint` for people. */
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

/** The status of `coi run` if coi itself failed, as with docker and env(1): any other may be that of the command. */
const runFailureStatus = 125;

/** The exit status for an error of this coi command. */
export function exitStatusOf({ code, exit }: CoiError, command: string | undefined): number {
  const status: number = exit ?? errorCodes[code].exit;
  return command === 'run' && status === 1 ? runFailureStatus : status;
}

/** Ends the program with a status and without a message: it was already printed. */
export class ExitStatus extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`exit status ${status}`);
    this.name = 'ExitStatus';
    this.status = status;
  }
}
