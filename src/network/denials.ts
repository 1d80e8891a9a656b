// Recent denials, read from the sets in which the kernel records them for a quarter of an hour. Pure.
import type { NftObject } from '../host/net/nft.ts';

export interface Denial {
  /** The session's address. */
  readonly source: string;
  readonly address: string;
  /** `tcp`, `udp`, `icmp` or a protocol number. */
  readonly protocol: string;
  readonly port: number | undefined;
  readonly secondsAgo: number;
}

interface ListedSet {
  readonly name: string;
  readonly timeout?: number;
  readonly elem?: readonly {
    readonly elem?: {
      readonly val?: { readonly concat?: readonly unknown[] };
      readonly timeout?: number;
      readonly expires?: number;
    };
  }[];
}

/** Latest first. */
export function denialsOf(objects: readonly NftObject[]): Denial[] {
  const sets = (objects as readonly { set?: ListedSet }[]).flatMap(({ set }) =>
    set?.name === 'denials' || set?.name === 'other_denials' ? [set] : [],
  );
  const all = sets.flatMap(({ timeout = 0, elem = [] }) =>
    elem.flatMap(({ elem: one }): Denial[] => {
      const [source, address, protocol, port] = one?.val?.concat ?? [];
      if (typeof source !== 'string' || typeof address !== 'string') return [];
      const secondsAgo = Math.max(0, (one?.timeout ?? timeout) - (one?.expires ?? 0));
      return [
        {
          source,
          address,
          protocol: String(protocol),
          port: typeof port === 'number' ? port : undefined,
          secondsAgo,
        },
      ];
    }),
  );
  return all.sort((a, b) => a.secondsAgo - b.secondsAgo);
}
