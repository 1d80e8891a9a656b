// Wire types for a session's network policy and permits.

export type NetworkMode = 'restricted' | 'allowlist' | 'open';

/** A session's network policy, stored as JSON in `user.coi.policy`. The fields are explained in config/keys/access.ts. */
export interface PolicyRecord {
  readonly mode: NetworkMode;
  /** For allowlist: `host`, `*.host`, IPv4 or CIDR, each with optional `:ports`. */
  readonly allow: readonly string[];
  readonly hosts: readonly {
    readonly address: string;
    readonly names: readonly string[];
    readonly ports: readonly number[];
  }[];
  readonly dnsServers: readonly string[];
  readonly allowedPorts: readonly number[];
  readonly allowLocal: boolean;
  readonly blockPrivate: boolean;
  readonly blockMetadata: boolean;
}

/** GET /v1/network/<container> */
export interface NetworkReport {
  readonly container: string;
  /** On the host side. */
  readonly interface: string;
  readonly address: string;
  readonly bridge: {
    readonly name: string;
    readonly gateway: string;
    readonly prefixLength: number;
  };
  readonly policy: PolicyRecord;
  /** Temporary permits; `until` is ISO 8601. */
  readonly permits: readonly { readonly entry: string; readonly until: string }[];
  /** Host networks that count as private. */
  readonly attached: readonly string[];
  readonly inForce: boolean;
  /** Of the last 15 minutes, each destination once, latest first. */
  readonly denials: readonly {
    readonly address: string;
    readonly protocol: string;
    readonly port: number | undefined;
    readonly secondsAgo: number;
  }[];
  /** Refused names; `at` is ISO 8601. */
  readonly names: readonly {
    readonly name: string;
    readonly type: string;
    readonly reason: string;
    readonly count: number;
    readonly at: string;
  }[];
}

/** POST /v1/network/<container>/permits */
export interface PermitRequest {
  /** Id of the container's mounts. */
  readonly id: string;
  readonly entry: string;
  readonly forMs: number;
}

export interface PermitReply {
  readonly entry: string;
  readonly until: string;
}
