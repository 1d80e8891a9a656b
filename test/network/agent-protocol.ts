// Requests of the tests to the agent in a container's network namespace.

export type AgentTask =
  /** `open`, or the error's code. */
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  /** `answered`, `sent` (if not waiting), or the error's code. */
  | {
      readonly kind: 'udp';
      readonly address: string;
      readonly port: number;
      readonly text: string;
      readonly wait: boolean;
    }
  | {
      readonly kind: 'raw-ip';
      readonly address: string;
      readonly protocol: number;
      readonly payload: string;
    }
  | { readonly kind: 'frame'; readonly interface: string; readonly hex: string }
  | { readonly kind: 'sniff'; readonly interface: string }
  | { readonly kind: 'sniffed'; readonly interface: string }
  | { readonly kind: 'listen'; readonly port: number }
  /** The page's text, or the error's code. */
  | {
      readonly kind: 'http';
      readonly address: string;
      readonly port: number;
      readonly host: string;
    }
  /** An open proxy on that port. */
  | { readonly kind: 'relay'; readonly port: number }
  /** The relay's result for `target` (address:port): `open` or an error code. */
  | {
      readonly kind: 'through';
      readonly address: string;
      readonly port: number;
      readonly target: string;
    }
  | { readonly kind: 'heard' }
  /** Transfers in one direction for that many milliseconds; returns the number of bytes. */
  | {
      readonly kind: 'load' | 'unload';
      readonly address: string;
      readonly port: number;
      readonly ms: number;
    }
  | {
      readonly kind: 'dns';
      readonly server: string;
      readonly port?: number;
      readonly name: string;
      readonly type: string;
      readonly transport: 'udp' | 'tcp';
      readonly edns?: boolean;
      readonly limitMs?: number;
    };

export interface AgentReply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}
