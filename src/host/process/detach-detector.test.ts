// tmux's last output, in any chunks.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { detachDetector } from './detach-detector.ts';

const exited = { kind: 'exited', status: 0 } as const;

function endAfter(...chunks: string[]) {
  const last = detachDetector(undefined);
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    assert.equal(last.filter(bytes), bytes, 'nothing is changed');
  }
  return last.withDetached(exited);
}

it("tmux's last output tells a detach from an exit", () => {
  assert.deepEqual(endAfter('x'.repeat(10_000), '[detached (from session coi-a-1)]\r\n'), {
    ...exited,
    detached: true,
  });
  assert.deepEqual(endAfter('[detached (from ', 'session coi-a-1)]', '\r\n'), {
    ...exited,
    detached: true,
  });
  assert.deepEqual(endAfter('[detached (from session coi-a-1)]\r\n$ ', '[exited]\r\n'), {
    ...exited,
    detached: false,
  });
  assert.deepEqual(detachDetector(undefined).withDetached({ kind: 'interrupted' }), {
    kind: 'interrupted',
  });
});
