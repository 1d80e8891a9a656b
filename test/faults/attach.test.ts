// coi is killed at every call that it makes to Incus while a session goes on: the session does not notice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBed } from '../bed/bed.ts';
import { openRelay } from '../bed/incus-relay.ts';
import { detach, inside, live, metadataOf, said, say, sessionId, talk } from '../lifecycle/talk.ts';
import { onlyInstance } from '../terminal/session.ts';
import { calls, killedAt, moments } from './killed.ts';

test('an attach or a persist that is killed at any call leaves the session as it was, with nobody at its terminal, for the next one', {
  timeout: 180_000,
}, async () => {
  await using bed = await makeBed();
  const first = await talk(bed);
  const id = sessionId(first);
  await say(first, 'kept words');
  await detach(first);
  const { name } = await onlyInstance(bed);
  await live(bed, name);
  const { config } = await onlyInstance(bed);
  for (const moment of moments)
    for (let nth = 1, struck = true; struck; nth += 1) {
      await using relay = await openRelay();
      const screen = bed.screen(['attach', name], { env: { INCUS_SOCKET: relay.socketPath } });
      const strike = relay.strikeAt(nth, moment, calls[moment], () => screen.kill('SIGKILL'));
      // It is struck before it shows anything, or comes through.
      const shown = await screen.waitFor('You said: kept words').then(
        () => true,
        () => false,
      );
      if (shown) screen.key('ctrl-b d');
      const { status } = await screen.ended();
      struck = strike.at !== undefined;
      // What it asks beside the open terminal may be struck when the user has just left: then it came through.
      const through = shown && status === 0;
      assert.ok(through || (struck && status === 137), `${status}: ${moment} ${strike.at}`);
    }
  const after = await onlyInstance(bed);
  assert.deepEqual([after.name, after.status, after.config], [name, 'Running', config]);
  const clients = await inside(bed, name, 'runuser', '-u', 'code', '--', 'tmux', 'list-clients');
  assert.equal(clients, '');
  const again = bed.screen(['attach', name]);
  await again.waitFor('You said: kept words');
  await say(again, 'more words');
  assert.match(said(bed, id), /kept words[\s\S]*more words/);

  for (const moment of moments)
    for (let nth = 1, struck = true; struck; nth += 1) {
      const { status, at } = await killedAt(bed, ['persist'], nth, moment);
      struck = at !== undefined;
      assert.equal(status, struck ? 137 : 0, `${moment} ${at}`);
    }
  assert.equal((await onlyInstance(bed)).config['user.coi.persistent'], 'true');
  assert.equal(metadataOf(bed, id)['persistent'], true);
});
