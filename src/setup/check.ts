// One thing that a host needs, as `coi health` shows it and `coi setup` mends it.
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
  /** Half a sentence, without a full stop. */
  readonly message: string;
  /** For programs: JSON values. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** What setup would do about it: an imperative. Absent if there is nothing to do, or nothing that setup may do. */
  readonly plan?: string;
  /** What a person can do about it. */
  readonly hint?: string;
}

/** What a check may ask and a fix may touch. */
export interface CheckContext {
  readonly host: SetupHost;
  /** Connects when used; throws an error with `errno` where the socket does not answer. */
  incus(): Promise<Incus>;
  /** Throws where coid does not answer. */
  coidStatus(): Promise<DaemonStatus>;
  /** Undefined where coi runs from its sources and was never built. */
  readonly installer: Installer | undefined;
  /** Who will use coi on this host: under sudo the user that called it. */
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
  /** Does what the finding's plan says. Called as root, only when there is a plan; the check is probed again afterwards. */
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
