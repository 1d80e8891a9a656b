// The guarded network port of a session.
import type { AddressRange } from '../addresses/ipv4.ts';
import type { PortRange } from './entry.ts';
import type { NetworkPolicy } from './policy.ts';

/** A session, identified by its interface and addresses. */
export interface GuardedPort {
  /** The host-side interface, unique among sessions; also the name of the session's chain and the prefix of its sets. */
  readonly hostName: string;
  readonly bridge: string;
  readonly gateway: string;
  readonly mac: string;
  readonly address: string;
  readonly policy: NetworkPolicy;
  /** Opened temporarily by the user (`coi network allow`). */
  readonly permits: readonly Permit[];
}

export interface Permit {
  readonly range: AddressRange;
  readonly ports: readonly PortRange[];
}
