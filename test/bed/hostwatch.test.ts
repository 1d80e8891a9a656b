// Control: the watch must find secrets that are there, or its silence proves nothing.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { watchHost } from './hostwatch.ts';
import { openRealIncus } from './incus.ts';
import { newPrefix } from './prefix.ts';
import { sweepInstances } from './sweep.ts';
import { makeUser } from './users.ts';

const image = process.env['COI_TEST_IMAGE'] ?? 'coi-test';

test('the host watch sees a secret in a command line, an exec environment, an event and a config key', {
  timeout: 60_000,
}, async () => {
  const [incus, outsider, prefix] = [
    await openRealIncus(),
    await makeUser({ incusAdmin: false }),
    newPrefix(),
  ];
  const [argument, variable, config] = ['a', 'v', 'c'].map(
    (head) => head + randomBytes(8).toString('hex'),
  );
  const watch = await watchHost(incus, outsider, [argument, variable, config].map(String));
  try {
    const name = `${prefix}watched`;
    const created = await incus.createInstance({
      name,
      type: 'container',
      start: true,
      source: { type: 'image', alias: image },
      config: { 'user.test': String(config) },
    });
    await created.wait();
    assert.deepEqual(
      (await watch.sightings()).map(({ where }) => where),
      ['api'],
    );
    const command = ['sh', '-c', 'read -r line', String(argument)];
    const exec = await incus.execPiped(name, {
      command,
      environment: { SECRET: String(variable) },
    });
    const during = await watch.sightings();
    exec.stdout.resume();
    exec.stderr.resume();
    exec.stdin.end('\n');
    await exec.status;
    const saw = (secret: string | undefined, where: string) =>
      during.some(
        (sighting) =>
          sighting.where === where && (where === 'api' || sighting.text.includes(String(secret))),
      );
    assert.ok(
      saw(variable, 'cmdline'),
      'environment of the exec in the command line of incusd forkexec',
    );
    assert.ok(saw(argument, 'cmdline'), 'arguments of the exec');
    assert.ok(saw(argument, 'event'), 'arguments in the lifecycle event');
  } finally {
    await watch.stop();
    await sweepInstances(incus, prefix);
    await outsider.remove();
    incus.close();
  }
});
