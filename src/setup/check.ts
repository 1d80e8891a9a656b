// A requirement of a host: `coi health` reports it, `coi setup` fixes it.
import type { DaemonStatus } from '../coid-api/protocol.ts';
import type { Installer } from '../host/install/install.ts';
import type { SetupHost } from '../host/install/setup-host.ts';
import type { Incus } from '../incus/client.ts';

/** Headings of the report, in the predecessor's order. */
export const groups = [
  'SYSTEM',
  'CRITICAL',
  'NETWORKING',
  'MONITORING',
  'STORAGE',
  'CONFIGURATION',
  'STATUS',
  'OPTIONAL',
  'OTHER',
] as const;
export type Group = (typeof groups)[number];

export type Status = 'ok' | 'warning' | 'failed';

export interface Finding {
  readonly status: Status;
  /** A phrase without a period at the end. */
  readonly message: string;
  /** For programs: JSON values. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What setup would do to fix it, in the imperative; absent if it cannot or need not do anything. */
  readonly plan?: string;
  /** What the user can do. */
  readonly hint?: string;
}

/** What checks may read and fixes may change. */
export interface CheckContext {
  readonly host: SetupHost;
  /** Connects on first use; throws an error with `errno` if the socket does not answer. */
  incus(): Promise<Incus>;
  /** Throws if coid does not answer. */
  coidStatus(): Promise<DaemonStatus>;
  /** Undefined if coi runs from source and was never built. */
  readonly installer: Installer | undefined;
  /** The user of coi on this host; under sudo, the user who called sudo. */
  readonly caller: { readonly name: string; readonly uid: number };
  readonly version: string;
  /** Text of coid's systemd unit for the program at that path. */
  readonly coidUnit: (programPath: string) => string;
  /** Alias of the image that sessions start from. */
  readonly imageAlias: string;
  readonly signal: AbortSignal;
}

export interface Check<G extends CheckContext = CheckContext> {
  /** Stable: the key in the JSON report. */
  readonly id: string;
  readonly title: string;
  readonly group: Group;
  run(context: G): Promise<Finding>;
  /** Carries out the finding's plan. Called as root, only if there is a plan; the check runs again afterwards. */
  fix?(context: G): Promise<void>;
}

export const ok = (message: string, details?: Readonly<Record<string, unknown>>): Finding =>
  finding('ok', message, details);

export function finding(
  status: Status,
  message: string,
  details?: Readonly<Record<string, unknown>>,
  answer: { plan?: string | undefined; hint?: string | undefined } = {},
): Finding {
  return {
    status,
    message,
    ...(details ? { details } : {}),
    ...(answer.plan === undefined ? {} : { plan: answer.plan }),
    ...(answer.hint === undefined ? {} : { hint: answer.hint }),
  };
}
