import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseKeys, sshAgentKeys } from './ssh-agent-keys.ts';

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

test('keys are parsed like the output of ssh-add -L, even from truncated or made-up answers', () => {
  assert.deepEqual(parseKeys(answer(1, text(blob), text('comment'))), [
    `ssh-ed25519 ${blob.toString('base64')}`,
  ]);
  assert.deepEqual(parseKeys(answer(0)), []);
  assert.deepEqual(parseKeys(answer(200, text(blob), text('one'), text(blob))), [
    `ssh-ed25519 ${blob.toString('base64')}`,
  ]);
  assert.deepEqual(parseKeys(Buffer.from([5])), []);
  fc.assert(fc.property(fc.uint8Array(), (bytes) => Array.isArray(parseKeys(Buffer.from(bytes)))));
});

test('an SSH agent that answers nothing, something else or too much has no keys', async () => {
  const top = mkdtempSync(join(tmpdir(), 'coit-keys-'));
  try {
    for (const [name, reply] of [
      ['silent', undefined],
      ['ends', Buffer.alloc(0)],
      ['much', Buffer.alloc(2 ** 20, 0xff)],
    ] as const) {
      const path = join(top, name);
      const server = createServer((socket) => {
        socket.on('error', () => {});
        if (reply) socket.end(reply);
      }).listen(path);
      await once(server, 'listening');
      assert.deepEqual(await sshAgentKeys(path), [], name);
      server.close();
    }
    assert.deepEqual(await sshAgentKeys(join(top, 'nowhere')), []);
  } finally {
    rmSync(top, { recursive: true });
  }
});
