// coi is killed at every call that it makes to Incus on a running session: the session is unaffected.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { openRelay } from '../bed/incus-relay.ts';
import {
  conversationText,
  detach,
  metadataOf,
  runInside,
  sendMessage,
  sessionId,
  startConversation,
  untilLive,
} from '../lifecycle/conversation.ts';
import { onlyInstance } from '../terminal/session.ts';
import { calls, killAtCall, moments } from './kill-at-call.ts';

test('an attach or persist that is killed at any call leaves the session unchanged and without a terminal', {
  timeout: 180_000,
}, async () => {
  await using bed = await makeBed();
  const first = await startConversation(bed);
  const id = sessionId(first);
  await sendMessage(first, 'kept words');
  await detach(first);
  const { name } = await onlyInstance(bed);
  await untilLive(bed, name);
  const { config } = await onlyInstance(bed);
  for (const moment of moments)
    for (let nth = 1, struck = true; struck; nth += 1) {
      await using relay = await openRelay();
      const screen = bed.screen(['attach', name], { env: { INCUS_SOCKET: relay.socketPath } });
      const strike = relay.strikeAt(nth, moment, calls[moment], () => screen.kill('SIGKILL'));
      // It is killed before it shows anything, or completes.
      const shown = await screen.waitFor('You said: kept words').then(
        () => true,
        () => false,
      );
      if (shown) screen.key('ctrl-b d');
      const { status } = await screen.ended();
      struck = strike.at !== undefined;
      // Calls next to the open terminal may be hit just after the user has left: then coi completed.
      const through = shown && status === 0;
      assert.ok(through || (struck && status === 137), `${status}: ${moment} ${strike.at}`);
    }
  const after = await onlyInstance(bed);
  assert.deepEqual([after.name, after.status, after.config], [name, 'Running', config]);
  const clients = await runInside(bed, name, 'runuser', '-u', 'code', '--', 'tmux', 'list-clients');
  assert.equal(clients, '');
  const again = bed.screen(['attach', name]);
  await again.waitFor('You said: kept words');
  await sendMessage(again, 'more words');
  assert.match(conversationText(bed, id), /kept words[\s\S]*more words/);

  for (const moment of moments)
    for (let nth = 1, struck = true; struck; nth += 1) {
      const { status, at } = await killAtCall(bed, ['persist'], nth, moment);
      struck = at !== undefined;
      assert.equal(status, struck ? 137 : 0, `${moment} ${at}`);
    }
  assert.equal((await onlyInstance(bed)).config['user.coi.persistent'], 'true');
  assert.equal(metadataOf(bed, id)['persistent'], true);
});
