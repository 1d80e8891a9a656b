// The port of a session that is guarded.
import type { AddressRange } from '../addresses/ipv4.ts';
import type { PortRange } from './entry.ts';
import type { NetworkPolicy } from './policy.ts';

/** A session as its packets show it. */
export interface GuardedPort {
  /** Interface on the host side, unique among all sessions of all time that matter: it names the session's chain and sets. */
  readonly hostName: string;
  readonly bridge: string;
  readonly gateway: string;
  readonly mac: string;
  readonly address: string;
  readonly policy: NetworkPolicy;
  /** Opened for a while by the user (`coi network allow`). */
  readonly permits: readonly Permit[];
}

export interface Permit {
  readonly range: AddressRange;
  readonly ports: readonly PortRange[];
}
