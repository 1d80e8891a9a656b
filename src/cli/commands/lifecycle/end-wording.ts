// Wording of the commands that end or persist containers.
import type { OwnerScope } from '../../../app/requests.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import { aliasOf, isPersistent } from '../../../session/record/instance-record.ts';

export interface EndOptions extends OwnerScope {
  all?: boolean;
  force?: boolean;
  json?: boolean;
}

export interface EndWording {
  /** `kill` */
  readonly verb: string;
  /** `Killed` */
  readonly done: string;
  /** `Kill` */
  readonly title: string;
  /** `killed` */
  readonly past: string;
  /** The line on a terminal when it is done. */
  readonly brief: (name: string) => string;
  /** The session ends, and can be resumed. */
  readonly ends: boolean;
  /** `Shutting down` */
  readonly doing: string;
}

export function containerNotes(container: Container): string {
  const alias = aliasOf(container);
  return [
    ...(alias === undefined ? [] : [` (${alias})`]),
    ...(isPersistent(container) ? [' (persistent)'] : []),
    ...(container.adopted?.owner === 'nobody' ? [' (no owner)'] : []),
  ].join('');
}
