// Messages between the tests and the server in the simulated internet.

/** `name: ''` in an answer stands for the queried name (under a wildcard). */
export interface DnsRecord {
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'CNAME' | 'TXT';
  readonly ttl: number;
  readonly data: string;
}

export interface DnsZone {
  answers: DnsRecord[];
  /** One address at a time, rotating with each query. */
  readonly rotate?: boolean;
  /** Over UDP only the truncation flag. */
  readonly truncate?: boolean;
}

export interface ServerOptions {
  /** Addresses that answer DNS. */
  readonly dns: readonly string[];
  readonly udp: readonly string[];
  readonly udpPorts: readonly number[];
  readonly tcpPorts: readonly number[];
  /** Also HTTPS on port 443. */
  readonly certificate?: string;
  readonly key?: string;
  /** Served content in base64, by host and path (`registry.example.org/thing`); other requests get a page about the request. */
  readonly files?: Readonly<Record<string, string>>;
  /** A port that sends endlessly, and one that reads everything and then closes. */
  readonly flowPorts?: { readonly source: number; readonly sink: number };
}

export type ToServer =
  | { readonly kind: 'start'; readonly options: ServerOptions }
  | { readonly kind: 'zone'; readonly id: number; readonly zone: Readonly<Record<string, DnsZone>> }
  /** Its `done` comes after all earlier arrivals and questions. */
  | { readonly kind: 'report'; readonly id: number }
  | {
      readonly kind: 'behave';
      readonly id: number;
      readonly delayMs: number;
      readonly silent: boolean;
    };

export interface Arrival {
  readonly kind: 'arrived';
  readonly protocol: 'tcp' | 'udp' | 'http';
  readonly address: string;
  readonly port: number;
  readonly peer: string;
  readonly text: string;
}

export interface Question {
  readonly kind: 'question';
  readonly name: string;
  readonly type: string;
  readonly transport: string;
}

export type FromServer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number }
  | Arrival
  | Question;
