// Other host firewalls, with real rules in a network namespace: their drops are detected, and the suggested fix opens the bridge.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { blockersIn } from '../../src/setup/checks/firewall.ts';
import { mustRun, runCommand } from '../bed/command.ts';
import { bridge, enterNamespace, type NamespaceAgent } from './tenant.ts';

/** Docker's rules as iptables-nft writes them (27.x), with the drop that cuts off other bridges. */
const docker = `
table ip filter {
  chain DOCKER-USER { counter return; }
  chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; iifname "docker0" counter accept; }
}
table ip6 filter {
  chain DOCKER-USER { counter return; }
  chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; }
}`;
/** Docker's rules after `iptables -I DOCKER-USER` of the check's fix. */
const dockerLets = `
insert rule ip filter DOCKER-USER oifname "${bridge}" ct state related,established counter accept
insert rule ip filter DOCKER-USER iifname "${bridge}" counter accept`;
/** ufw's rules, with its default of neither forwarding nor accepting. */
const ufw = `
table ip filter {
  chain ufw-user-input { }
  chain ufw-user-forward { }
  chain ufw-before-forward { icmp type destination-unreachable counter accept; jump ufw-user-forward; }
  chain INPUT { type filter hook input priority filter; policy drop; counter jump ufw-user-input; }
  chain FORWARD { type filter hook forward priority filter; policy drop; counter jump ufw-before-forward; }
}`;
/** ufw's rules after `ufw allow in on` and `ufw route allow` of the check's fix. */
const ufwLets = `
add rule ip filter ufw-user-input iifname "${bridge}" counter accept
add rule ip filter ufw-user-forward iifname "${bridge}" counter accept
add rule ip filter ufw-user-forward oifname "${bridge}" counter accept`;
const addresses = {
  gateway: '10.200.0.1',
  session: '10.200.0.2',
  link: '10.201.0.1',
  far: '10.201.0.2',
};

describe('a host with another firewall', () => {
  const id = randomBytes(3).toString('hex');
  const [host, session, far] = [`coit-${id}h`, `coit-${id}s`, `coit-${id}f`];
  let agent: NamespaceAgent;
  const ip = (name: string, ...argv: string[]) => mustRun(['ip', '-n', name, ...argv]);
  const nft = (rules: string) =>
    mustRun(['ip', 'netns', 'exec', host, 'nft', '-f', '-'], { input: rules });

  before(async () => {
    for (const name of [host, session, far]) await mustRun(['ip', 'netns', 'add', name]);
    await ip(host, 'link', 'add', bridge, 'type', 'bridge');
    await join(session, 'port0', addresses.session, addresses.gateway);
    await ip(host, 'link', 'set', 'port0', 'master', bridge);
    await join(far, 'up0', addresses.far, addresses.link);
    await ip(host, 'address', 'add', `${addresses.gateway}/24`, 'dev', bridge);
    await ip(host, 'address', 'add', `${addresses.link}/24`, 'dev', 'up0');
    await ip(host, 'link', 'set', bridge, 'up');
    const forward = 'echo 1 >/proc/sys/net/ipv4/ip_forward';
    await mustRun(['ip', 'netns', 'exec', host, 'sh', '-c', forward]);
    agent = await enterNamespace(`/run/netns/${session}`, addresses.gateway);
  });
  after(async () => {
    agent?.stop();
    for (const name of [host, session, far]) await runCommand(['ip', 'netns', 'delete', name]);
  });

  /** A veth from the host to another namespace, which has it as eth0. */
  async function join(name: string, near: string, address: string, router: string): Promise<void> {
    const veth = ['link', 'add', near, 'type', 'veth', 'peer', 'name', 'eth0'];
    await ip(host, ...veth, 'netns', name);
    await ip(host, 'link', 'set', near, 'up');
    await ip(name, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    await ip(name, 'link', 'set', 'eth0', 'up');
    await ip(name, 'route', 'add', 'default', 'via', router);
  }

  /** There is no listener, so a refusal shows that request and answer passed. */
  const passes = async (address: string) => (await agent.tcp(address, 7)) === 'ECONNREFUSED';
  const found = async () => {
    const { stdout } = await mustRun([
      'ip',
      ...['netns', 'exec', host, 'nft', '-j', 'list', 'ruleset'],
    ]);
    return blockersIn((JSON.parse(stdout) as { nftables: never }).nftables, bridge);
  };

  for (const { by, rules, lets, input } of [
    { by: 'docker', rules: docker, lets: dockerLets, input: true },
    { by: 'ufw', rules: ufw, lets: ufwLets, input: false },
  ] as const)
    test(`drops by ${by} are detected, and traffic passes once allowed`, async () => {
      await nft('flush ruleset');
      assert.equal(await passes(addresses.far), true);
      assert.deepEqual(await found(), []);
      await nft(rules);
      assert.equal(await passes(addresses.far), false);
      assert.equal(await passes(addresses.gateway), input);
      assert.deepEqual([...new Set((await found()).map((one) => one.by))], [by]);
      await nft(lets);
      assert.equal(await passes(addresses.far), true);
      assert.equal(await passes(addresses.gateway), true);
      assert.deepEqual(await found(), []);
    });
});
