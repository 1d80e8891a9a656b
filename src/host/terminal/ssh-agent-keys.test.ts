import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { agentKeys, keysIn } from './ssh-agent-keys.ts';

const text = (value: string | Buffer) => {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
const blob = Buffer.concat([text('ssh-ed25519'), text('k'.repeat(32))]);
const answer = (count: number, ...parts: Buffer[]) => {
  const head = Buffer.from([12, 0, 0, 0, count]);
  return Buffer.concat([head, ...parts]);
};

test('keys are read as ssh-add -L prints them, whatever is cut off or made up', () => {
  assert.deepEqual(keysIn(answer(1, text(blob), text('comment'))), [
    `ssh-ed25519 ${blob.toString('base64')}`,
  ]);
  assert.deepEqual(keysIn(answer(0)), []);
  assert.deepEqual(keysIn(answer(200, text(blob), text('one'), text(blob))), [
    `ssh-ed25519 ${blob.toString('base64')}`,
  ]);
  assert.deepEqual(keysIn(Buffer.from([5])), []);
  fc.assert(fc.property(fc.uint8Array(), (bytes) => Array.isArray(keysIn(Buffer.from(bytes)))));
});

test('an agent that says nothing, something else or too much has no keys', async () => {
  const top = mkdtempSync(join(tmpdir(), 'coit-keys-'));
  try {
    for (const [name, said] of [
      ['silent', undefined],
      ['ends', Buffer.alloc(0)],
      ['much', Buffer.alloc(2 ** 20, 0xff)],
    ] as const) {
      const path = join(top, name);
      const server = createServer((socket) => {
        socket.on('error', () => {});
        if (said) socket.end(said);
      }).listen(path);
      await once(server, 'listening');
      assert.deepEqual(await agentKeys(path), [], name);
      server.close();
    }
    assert.deepEqual(await agentKeys(join(top, 'nowhere')), []);
  } finally {
    rmSync(top, { recursive: true });
  }
});
