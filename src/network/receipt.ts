// A receipt: an element that nobody else adds, so that the kernel can be asked whether it took a transaction. Pure but for chance.
import { randomBytes } from 'node:crypto';
import type { SetKey } from '../host/net/nft-netlink.ts';
import type { NftCommand, SetDefinition } from './nft-json.ts';
import type { Table } from './nft-table.ts';

const name = 'receipts';
/** Asked for at once; then it may go. */
const keptSeconds = 60;
const receiptsMax = 4096;

/** Marks, only because they are numbers of 32 bits: no rule looks at this set. */
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
