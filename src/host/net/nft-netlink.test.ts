import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batch, NetlinkError, openElementWriter } from './nft-netlink.ts';

const element = { table: 'coi', set: 'names', key: Buffer.from([192, 0, 2, 1]), timeoutMs: 60_000 };

/** The messages of a batch: type, flags and number of each. */
function messages(
  bytes: Buffer,
): { type: number; flags: number; sequence: number; length: number }[] {
  const all = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    all.push({
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      length,
    });
    at += (length + 3) & ~3;
  }
  return all;
}

test('a batch is one transaction that adds, removes and re-adds an element with its timeout', () => {
  const { bytes, acknowledged } = batch([element], 7);
  assert.equal(acknowledged, 3);
  assert.deepEqual(
    messages(bytes).map(({ type, sequence }) => [type, sequence]),
    [
      [0x10, 7],
      [0xa0c, 8],
      [0xa0e, 9],
      [0xa0c, 10],
      [0x11, 11],
    ],
  );
  assert.ok(bytes.includes(Buffer.from([192, 0, 2, 1])));
});

test("a set that does not exist is an error with the kernel's message", async () => {
  const writer = await openElementWriter();
  try {
    assert.throws(
      () => writer.put([{ ...element, table: 'coit_no_such_table' }]),
      // ENOENT for root, EPERM for everybody else.
      (error) => error instanceof NetlinkError && (error.errno === 2 || error.errno === 1),
    );
  } finally {
    writer.close();
  }
});

test('a missing element and missing permission are reported', async () => {
  const writer = await openElementWriter();
  const ask = () => writer.has({ ...element, table: 'coit_no_such_table' });
  try {
    if (process.geteuid?.() === 0) assert.equal(ask(), false);
    else assert.throws(ask, (error) => error instanceof NetlinkError && error.errno === 1);
  } finally {
    writer.close();
  }
});
