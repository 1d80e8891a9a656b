// More of the host that `coi health` looks at, and what the predecessor needed that coi does not.
import type { SetupHost } from '../../host/install/setup-host.ts';
import { type Check, type Finding, finding, type Group, ok } from '../check.ts';
import { type Blocker, findBlockers } from './firewall.ts';
import { bridgeName } from './network.ts';

export const dockerForwardPolicy = blockedBy('docker', 'docker_forward_policy', 'Docker');
export const ufwConflict = blockedBy('ufw', 'ufw_conflict', 'ufw');
export const bridgeFirewalldZone = blockedBy('firewalld', 'bridge_firewalld_zone', 'firewalld');

function blockedBy(by: Blocker['by'], id: string, title: string): Check {
  return {
    id,
    title,
    group: 'NETWORKING',
    run: async ({ host }) => {
      if (host.uid !== 0) return ok('not looked at: only root sees its rules');
      const found = (await findBlockers(host)).filter((blocker) => blocker.by === by);
      return found.length === 0
        ? ok(`does not drop what sessions on ${bridgeName} send`)
        : finding(
            'warning',
            'drops what sessions send',
            { blockers: found },
            { hint: '`sudo coi setup` lets them through.' },
          );
    },
  };
}

export const nft: Check = {
  id: 'nft',
  title: 'nftables',
  group: 'NETWORKING',
  run: async ({ host, signal }) => {
    const said = await host.run(['nft', '--version'], { signal });
    const version = /v\S+/.exec(said.stdout)?.[0];
    if (said.status === 0) return ok(`${version ?? 'there'}, used by coid`, { version });
    return finding(
      'failed',
      'the program nft is missing: no session can be guarded',
      {},
      { hint: '`sudo coi setup` installs it.' },
    );
  },
};

/** What it alone holds: docs/threat-model.md, "The container". */
export const apparmor: Check = {
  id: 'apparmor',
  title: 'AppArmor',
  group: 'CRITICAL',
  run: async ({ host }) =>
    apparmorFinding(await host.readText('/sys/module/apparmor/parameters/enabled')),
};

/** Judges the kernel's own word: `Y`, `N`, or no such file. */
export function apparmorFinding(text: string | undefined): Finding {
  const enabled = text?.trim() === 'Y';
  if (enabled) return ok('on', { enabled });
  return finding(
    'warning',
    'off: root of a container may get hold of what Incus runs in it for this host',
    { enabled },
    { hint: 'Use a kernel that has AppArmor, started with `apparmor=1 security=apparmor`.' },
  );
}

export const kernelMitigations: Check = {
  id: 'kernel_mitigations',
  title: 'CPU weaknesses',
  group: 'OPTIONAL',
  run: async ({ host }) => {
    const open = await vulnerabilities(host);
    if (open.length === 0) return ok('none that the kernel knows of is open');
    return finding(
      'warning',
      `open: ${open.join(', ')}`,
      { open },
      { hint: 'Sessions share the kernel of this host: update it and the microcode.' },
    );
  },
};

const weaknesses = '/sys/devices/system/cpu/vulnerabilities';

async function vulnerabilities(host: SetupHost): Promise<string[]> {
  const names = await host.names(weaknesses);
  const texts = await Promise.all(names.map((name) => host.readText(`${weaknesses}/${name}`)));
  return names.filter((_, at) => texts[at]?.startsWith('Vulnerable'));
}

export const dnsResolution: Check = {
  id: 'dns_resolution',
  title: 'Name servers',
  group: 'OPTIONAL',
  run: async ({ host }) => {
    const text = (await host.readText('/etc/resolv.conf')) ?? '';
    const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
    if (servers.length > 0) return ok(servers.join(', '), { servers });
    return finding(
      'warning',
      'none in /etc/resolv.conf: sessions find no host by its name',
      {},
      { hint: 'Set up the resolver of this host.' },
    );
  },
};

/** Scripts may look for these by their ids. */
export const superseded: readonly Check[] = [
  notNeeded('immutable_capability', 'Immutable flags', 'paths are guarded by ids'),
  notNeeded('passwordless_sudo', 'sudo without password', 'coid does what needs root'),
  notNeeded('process_monitoring', 'Process monitoring', 'coid looks from outside, as root'),
];

function notNeeded(id: string, title: string, why: string, group: Group = 'OPTIONAL'): Check {
  return { id, title, group, run: async () => ok(`not needed: ${why}`) };
}
