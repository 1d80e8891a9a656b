// How a command that ends or keeps containers speaks of what it does.
import type { OwnerScope } from '../../../app/requests.ts';
import type { Container } from '../../../session/record/instance-record.ts';
import { aliasOf, isKept } from '../../../session/record/instance-record.ts';

export interface EndOptions extends OwnerScope {
  all?: boolean;
  force?: boolean;
  json?: boolean;
}

/** How a command that ends or keeps containers speaks of what it does. */
export interface EndWords {
  /** `kill` */
  readonly verb: string;
  /** `Killed` */
  readonly done: string;
  /** `Kill` */
  readonly title: string;
  /** `killed` */
  readonly past: string;
  /** How a person is told that it is done. */
  readonly brief: (name: string) => string;
  /** The session ends, and can be resumed. */
  readonly ends: boolean;
  /** `Shutting down` */
  readonly doing: string;
}

export function about(container: Container): string {
  const alias = aliasOf(container);
  return [
    ...(alias === undefined ? [] : [` (${alias})`]),
    ...(isKept(container) ? [' (persistent)'] : []),
    ...(container.adopted?.owner === 'nobody' ? [' (belongs to nobody)'] : []),
  ].join('');
}
