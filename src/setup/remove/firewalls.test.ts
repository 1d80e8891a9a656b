import assert from 'node:assert/strict';
import { test } from 'node:test';
import { removalCommands } from './firewalls.ts';

const nothing = { docker: '', legacyDocker: '', ufw: '', firewalld: '' };

test("rules in Docker's chain are deleted as they were added, with the same iptables", () => {
  const docker = [
    '-N DOCKER-USER',
    '-A DOCKER-USER -o coibr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-A DOCKER-USER -i coibr0 -j ACCEPT',
    '-A DOCKER-USER -i other0 -j ACCEPT',
    '-A DOCKER-USER -j RETURN',
  ].join('\n');
  const words = removalCommands({ ...nothing, docker }).map((argv) => argv.join(' '));
  assert.deepEqual(words, [
    'iptables -w -D DOCKER-USER -i coibr0 -j ACCEPT',
    'iptables -w -D DOCKER-USER -o coibr0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  ]);
  assert.equal(removalCommands({ ...nothing, legacyDocker: docker })[0]?.[0], 'iptables-legacy');
  const half = '-A DOCKER-USER -i coibr0 -j ACCEPT\n';
  assert.equal(removalCommands({ ...nothing, docker: half }).length, 1);
});

test('ufw and firewalld rules of setup are removed, and no others', () => {
  const ufw = [
    'Added user rules (see `ufw status` for running firewall):',
    'ufw allow 22/tcp',
    'ufw allow in on coibr0',
    'ufw route allow in on coibr0',
    'ufw route allow out on coibr0',
  ].join('\n');
  assert.deepEqual(
    removalCommands({ ...nothing, ufw }).map((argv) => argv.join(' ')),
    [
      'ufw delete allow in on coibr0',
      'ufw route delete allow in on coibr0',
      'ufw route delete allow out on coibr0',
    ],
  );
  assert.deepEqual(
    removalCommands({ ...nothing, firewalld: 'docker0 coibr0\n' }).map((argv) => argv.join(' ')),
    [
      'firewall-cmd --zone=trusted --remove-interface=coibr0',
      'firewall-cmd --permanent --zone=trusted --remove-interface=coibr0',
    ],
  );
  assert.deepEqual(removalCommands({ ...nothing, firewalld: 'coibr01\n' }), []);
  assert.deepEqual(removalCommands(nothing), []);
});
