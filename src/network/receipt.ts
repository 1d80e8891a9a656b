// Receipts: a unique element that proves that the kernel accepted a transaction. Pure except for randomness.
import { randomBytes } from 'node:crypto';
import type { SetKey } from '../host/net/nft-netlink.ts';
import type { NftCommand, SetDefinition } from './nft-json.ts';
import type { Table } from './nft-table.ts';

const name = 'receipts';
/** It is checked at once and may expire then. */
const keptSeconds = 60;
const receiptsMax = 4096;

/** Of type mark because that is a 32-bit number; no rule uses this set. */
export const receiptSet = (inet: Table<'inet'>): SetDefinition => ({
  ...inet,
  name,
  type: 'mark',
  flags: ['timeout'],
  timeoutSeconds: keptSeconds,
  size: receiptsMax,
});

export interface Receipt {
  readonly command: NftCommand;
  readonly key: SetKey;
}

export function newReceipt(table: string): Receipt {
  const key = randomBytes(4);
  return {
    command: {
      add: { element: { family: 'inet', table, name, elem: [key.readUInt32LE()] } },
    },
    key: { table, set: name, key },
  };
}
