// Further host checks of `coi health`, and checks of the predecessor that coi does not need.
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
      if (host.uid !== 0) return ok('not checked: only root can list firewall rules');
      const found = (await findBlockers(host)).filter((blocker) => blocker.by === by);
      return found.length === 0
        ? ok(`does not drop packets of sessions on ${bridgeName}`)
        : finding(
            'warning',
            'drops packets of sessions',
            { blockers: found },
            { hint: 'Run `sudo coi setup` to permit them.' },
          );
    },
  };
}

export const nft: Check = {
  id: 'nft',
  title: 'nftables',
  group: 'NETWORKING',
  run: async ({ host, signal }) => {
    const result = await host.run(['nft', '--version'], { signal });
    const version = /v\S+/.exec(result.stdout)?.[0];
    if (result.status === 0) return ok(`${version ?? 'installed'}, used by coid`, { version });
    return finding(
      'failed',
      'nft is missing: sessions cannot be guarded',
      {},
      { hint: 'Run `sudo coi setup` to install it.' },
    );
  },
};

/** For what only AppArmor prevents, see docs/threat-model.md, "The container". */
export const apparmor: Check = {
  id: 'apparmor',
  title: 'AppArmor',
  group: 'CRITICAL',
  run: async ({ host }) =>
    apparmorFinding(await host.readText('/sys/module/apparmor/parameters/enabled')),
};

/** Judges the kernel parameter: `Y`, `N`, or missing. */
export function apparmorFinding(text: string | undefined): Finding {
  const enabled = text?.trim() === 'Y';
  if (enabled) return ok('on', { enabled });
  return finding(
    'warning',
    'off: root in a container may interfere with processes that Incus starts there',
    { enabled },
    { hint: 'Use a kernel with AppArmor, booted with `apparmor=1 security=apparmor`.' },
  );
}

export const kernelMitigations: Check = {
  id: 'kernel_mitigations',
  title: 'CPU vulnerabilities',
  group: 'OPTIONAL',
  run: async ({ host }) => {
    const open = await vulnerabilities(host);
    if (open.length === 0) return ok('no known vulnerability is open');
    return finding(
      'warning',
      `open: ${open.join(', ')}`,
      { open },
      { hint: 'Update the kernel and the microcode: sessions share the kernel.' },
    );
  },
};

const vulnerabilitiesPath = '/sys/devices/system/cpu/vulnerabilities';

async function vulnerabilities(host: SetupHost): Promise<string[]> {
  const names = await host.names(vulnerabilitiesPath);
  const texts = await Promise.all(
    names.map((name) => host.readText(`${vulnerabilitiesPath}/${name}`)),
  );
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
      'none in /etc/resolv.conf: sessions cannot resolve host names',
      {},
      { hint: 'Configure the resolver of this host.' },
    );
  },
};

/** For scripts that expect these ids. */
export const superseded: readonly Check[] = [
  notNeeded('immutable_capability', 'Immutable flags', 'paths are guarded by ids'),
  notNeeded('passwordless_sudo', 'Passwordless sudo', 'coid does what needs root'),
  notNeeded('process_monitoring', 'Process monitoring', 'coid monitors from the host, as root'),
];

function notNeeded(id: string, title: string, why: string, group: Group = 'OPTIONAL'): Check {
  return { id, title, group, run: async () => ok(`not needed: ${why}`) };
}
