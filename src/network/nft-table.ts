// The family and name of an nftables table.
import type { Family } from './nft-json.ts';

export type Table<F extends Family> = { readonly family: F; readonly table: string };
