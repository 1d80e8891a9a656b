// What coi and coid say about what a session may reach.

export type NetworkMode = 'restricted' | 'allowlist' | 'open';

/** What a session may reach, as JSON: `user.coi.policy`. Source of the parts: `[network]` in config/keys/reach.ts. */
export interface PolicyRecord {
  readonly mode: NetworkMode;
  /** `host`, `*.host`, IPv4 or CIDR, each with optional `:ports`: for allowlist. */
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
  /** Entries that were opened for a while; `until` is ISO 8601. */
  readonly permits: readonly { readonly entry: string; readonly until: string }[];
  /** Networks of the host that count as private. */
  readonly attached: readonly string[];
  readonly inForce: boolean;
  /** Of the last quarter of an hour, each destination once, the latest first. */
  readonly denials: readonly {
    readonly address: string;
    readonly protocol: string;
    readonly port: number | undefined;
    readonly secondsAgo: number;
  }[];
  /** Names that were refused; `at` is ISO 8601. */
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
  /** Of the mounts of the container that is meant. */
  readonly id: string;
  readonly entry: string;
  readonly forMs: number;
}

export interface PermitReply {
  readonly entry: string;
  readonly until: string;
}
