// Claims about the image that sessions start from, checked on the small one of the same recipe.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownBridge } from '../../src/daemon/reservations/bridge.ts';
import { testImage } from '../bed/bed.ts';
import { presetAddress, startGuest } from './guest.ts';

const limit = { timeout: 120_000 };

test('the test image boots completely and quickly', limit, async () => {
  await using guest = await startGuest(testImage);
  assert.equal(await guest.booted(), 'running');
  assert.equal(await guest.root('systemctl --failed --no-legend'), '');
  assert.equal(await guest.root('dpkg --audit'), '');
  // Only init and the journal run: nothing else costs each session time and memory.
  const services = async (state: string) =>
    (await guest.root(`systemctl list-units --type=service --state=${state} --no-legend --plain`))
      .split('\n')
      .map((line) => line.split(' ')[0]);
  assert.deepEqual(await services('running'), ['systemd-journald.service']);
  assert.deepEqual(await services('exited'), ['coi-end.service', 'systemd-tmpfiles-setup.service']);
});

test('boot units that are left out still work on demand', limit, async () => {
  await using guest = await startGuest(testImage, {
    config: { 'user.coi.nameserver': '192.0.2.53' },
  });
  await guest.booted();
  const ping = 'busctl call org.freedesktop.systemd1 / org.freedesktop.DBus.Peer GetMachineId';
  assert.equal(await guest.code(ping), `s "${await guest.root('cat /etc/machine-id')}"`);
  const setting = '/proc/sys/net/ipv4/ip_default_ttl';
  assert.equal(await guest.root(`cat ${setting}`), '64');
  await guest.root(
    'echo net.ipv4.ip_default_ttl=65 >/etc/sysctl.d/own.conf; systemctl restart systemd-sysctl',
  );
  assert.equal(await guest.root(`cat ${setting}`), '65');
  const script = '#!/bin/sh\ntouch /run/rc-local-ran\n';
  await guest.root(
    `printf '${script}' >/etc/rc.local; chmod +x /etc/rc.local; systemctl daemon-reload; systemctl start rc-local`,
  );
  await guest.root('test -e /run/rc-local-ran');
});

test(
  "the agent's user is uid 1000, owns the parents of its state and has passwordless sudo",
  limit,
  async () => {
    await using guest = await startGuest(testImage);
    assert.equal(await guest.code('id -u; id -un; id -gn; sudo -n id -u'), '1000\ncode\ncode\n0');
    const owners = await guest.root(
      'cd /home/code && stat -c "%U %n" . .config .local .local/share .local/state .cache',
    );
    assert.deepEqual(
      owners.split('\n').filter((line) => !line.startsWith('code ')),
      [],
    );
    assert.equal(
      await guest.code('locale -k LC_CTYPE >/dev/null; . /etc/default/locale; echo $LANG'),
      'C.UTF-8',
    );
  },
);

test(
  'tmux keeps 50000 lines, passes Escape at once and recognises its own terminal',
  limit,
  async () => {
    await using guest = await startGuest(testImage);
    const shown = await guest.code(
      't="tmux -L $$"; $t new-session -d -s x && $t show -gv history-limit && $t show -sv escape-time && $t show -gv default-terminal && infocmp tmux-256color >/dev/null',
    );
    assert.equal(shown, '50000\n10\ntmux-256color');
  },
);

test(
  'an address set from outside is kept, and the resolver is the configured one',
  limit,
  async () => {
    await using guest = await startGuest(testImage, {
      config: { 'user.coi.nameserver': '192.0.2.53' },
    });
    assert.match(
      await guest.root('ip -4 -oneline address show eth0; ip route'),
      new RegExp(`${presetAddress}/24`),
    );
    await guest.booted();
    const after = await guest.root(
      'ip -4 -oneline address show eth0; ip route; pgrep -c udhcpc || true',
    );
    assert.match(
      after,
      new RegExp(
        `inet ${presetAddress}/24 .*\n(.*\n)*default via 192\\.0\\.2\\.1 dev eth0(.*\n)+0$`,
      ),
    );
    assert.equal(await guest.root('cat /etc/resolv.conf'), 'nameserver 192.0.2.53');
    assert.equal(await guest.root('cat /etc/hostname'), guest.name);
    assert.match(await guest.root('getent ahostsv4 $(hostname)'), /^127\.0\.1\.1/);
  },
);

test('a container without a configured address requests one, and a resolver', limit, async () => {
  await using guest = await startGuest(testImage, { nic: { network: ownBridge } });
  await guest.booted();
  // `ip monitor` would work as well; the client's script writes last.
  const shown = await guest.root(
    'for i in $(seq 200); do grep -q nameserver /etc/resolv.conf && break; sleep 0.05; done; ip -4 -oneline address show eth0 scope global; ip route; cat /etc/resolv.conf',
  );
  assert.match(shown, /inet \d+\.\d+\.\d+\.\d+\/\d+/);
  assert.match(shown, /default via \d/);
  assert.match(shown, /nameserver \d/);
});

test('files created in /tmp before systemd is up survive the boot', limit, async () => {
  await using guest = await startGuest(testImage);
  await guest.code(
    '{ tmux has -t early || tmux new-session -d -s early; } 2>/dev/null; mkfifo /tmp/early 2>/dev/null; touch -d "40 days ago" /tmp/early',
  );
  assert.equal(await guest.booted(), 'running');
  assert.equal(
    await guest.code('tmux has-session -t =early && test -p /tmp/early && echo there'),
    'there',
  );
  await assert.rejects(guest.root('mountpoint -q /tmp'));
  await guest.root('systemd-tmpfiles --create --remove --boot --clean');
  assert.equal(await guest.code('test -p /tmp/early && stat -c %a /tmp'), '1777');
});

for (const command of [
  'poweroff',
  'sudo poweroff',
  'shutdown 0',
  'shutdown -h now',
  'halt',
  'close',
  'stop',
]) {
  test(`\`${command}\` by the agent's user powers the container off`, limit, async () => {
    await using guest = await startGuest(testImage);
    await guest.booted();
    const ended = guest.untilReported('instance-shutdown');
    await Promise.all([ended, guest.code(`${command} || true`).catch(() => 'cut off')]);
    const found = await guest.incus.instance(guest.name);
    assert.equal(found?.instance.status, 'Stopped');
  });
}

test('`poweroff` ends the machine even before its systemd takes signals', limit, async () => {
  // At once: the busier the machine, the longer systemd takes to block the signals.
  const ended = Array.from({ length: 6 }, async () => {
    await using guest = await startGuest(testImage);
    const stopped = guest.untilReported('instance-shutdown');
    await Promise.all([stopped, guest.code('poweroff').catch(() => 'cut off')]);
    assert.equal((await guest.incus.instance(guest.name))?.instance.status, 'Stopped');
  });
  await Promise.all(ended);
});

test('`reboot` boots the container again with the same files', limit, async () => {
  await using guest = await startGuest(testImage, {
    config: { 'user.coi.nameserver': '192.0.2.53' },
  });
  await guest.booted();
  const before = await guest.code('touch ~/kept; cat /proc/1/stat | cut -d" " -f22');
  const back = guest.untilReported('instance-restarted');
  await Promise.all([back, guest.code('reboot || true').catch(() => 'cut off')]);
  assert.equal(await guest.booted(), 'running');
  assert.notEqual(await guest.code('test -e ~/kept; cat /proc/1/stat | cut -d" " -f22'), before);
  assert.equal(await guest.root('cat /etc/resolv.conf'), 'nameserver 192.0.2.53');
});

test('every container has its own machine id', limit, async () => {
  await using one = await startGuest(testImage);
  await using other = await startGuest(testImage);
  await Promise.all([one.booted(), other.booted()]);
  const ids = await Promise.all([one, other].map((guest) => guest.root('cat /etc/machine-id')));
  assert.match(ids[0] ?? '', /^[0-9a-f]{32}$/);
  assert.notEqual(ids[0], ids[1]);
});

test(
  'the stub agent stores a conversation where Claude Code would, and resumes it',
  limit,
  async () => {
    await using guest = await startGuest(testImage);
    const result = await guest.code(`mkdir -p /tmp/a.b && cd /tmp/a.b
printf 'remember "blue"\\n/exit\\n' | dummy --verbose --permission-mode bypassPermissions --session-id 11111111-2222-3333-4444-555555555555`);
    assert.match(result, /^You: You said: remember "blue"\nYou: Bye$/);
    const state = '.claude/projects/-tmp-a-b/11111111-2222-3333-4444-555555555555.jsonl';
    const lines = (await guest.code(`cat ~/${state}`))
      .split('\n')
      .map((line) => JSON.parse(line) as { message?: { content: string } });
    assert.deepEqual(
      lines.map(({ message }) => message?.content),
      [undefined, 'remember "blue"'],
    );
    for (const resume of ['--resume', '--resume 11111111-2222-3333-4444-555555555555'])
      assert.match(
        await guest.code(`cd /tmp/a.b && dummy ${resume} </dev/null`),
        /^Resuming session 1{8}-.*\n> remember/,
      );
    await assert.rejects(
      guest.code('cd /tmp && dummy --resume </dev/null'),
      /No conversation found/,
    );
    assert.match(await guest.code('dummy --version'), /dummy/);
  },
);
