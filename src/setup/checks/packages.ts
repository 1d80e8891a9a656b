// Where apt finds Incus, and the packages that sessions need on the host.
import { CoiError } from '../../errors.ts';
import type { Machine } from '../../host/install/setup-host.ts';
import { type AptSource, parseDeb822, parseSourceLines } from '../apt-sources.ts';
import { type Check, type Finding, finding, type Ground, ok } from '../check.ts';
import { said } from '../command.ts';
import { noteMade } from '../made.ts';
import {
  derivedSource,
  hasSuite,
  incusOrigin,
  mainSource,
  parseRelease,
  type Release,
} from '../os.ts';

const sourceDir = '/etc/apt/sources.list.d';
export const derivedPath = `${sourceDir}/coi-backports.sources`;

interface Need {
  readonly package: string;
  /** One of these shows that it is there, whoever installed it. */
  readonly shownBy: readonly string[];
}

/** `incus-base` is Incus without what virtual machines need; it brings the client, nftables and uidmap. */
const needs: readonly Need[] = [
  {
    package: 'incus-base',
    shownBy: [
      '/usr/libexec/incus/incusd',
      '/opt/incus/bin/incusd',
      '/usr/bin/incusd',
      '/usr/sbin/incusd',
    ],
  },
  { package: 'lxcfs', shownBy: ['/usr/bin/lxcfs', '/opt/incus/bin/lxcfs'] },
  { package: 'dnsmasq-base', shownBy: ['/usr/sbin/dnsmasq', '/opt/incus/bin/dnsmasq'] },
  { package: 'nftables', shownBy: ['/usr/sbin/nft', '/sbin/nft'] },
  {
    package: 'btrfs-progs',
    shownBy: ['/usr/bin/btrfs', '/bin/btrfs', '/sbin/btrfs', '/usr/sbin/btrfs'],
  },
  { package: 'uidmap', shownBy: ['/usr/bin/newuidmap'] },
  { package: 'mmdebstrap', shownBy: ['/usr/bin/mmdebstrap'] },
  {
    package: 'debian-archive-keyring',
    shownBy: [
      '/usr/share/keyrings/debian-archive-keyring.gpg',
      '/usr/share/keyrings/debian-archive-keyring.pgp',
    ],
  },
  { package: 'ca-certificates', shownBy: ['/etc/ssl/certs/ca-certificates.crt'] },
];

export const neededPackages: readonly string[] = needs.map((need) => need.package);

export const aptSource: Check = {
  id: 'apt_source',
  title: 'Package source',
  group: 'SYSTEM',
  probe: async ({ machine }) => {
    const [text, missing] = await Promise.all([
      machine.readText('/etc/os-release'),
      missingPackages(machine),
    ]);
    if (!missing.includes('incus-base')) return ok('not needed: Incus is installed');
    return sourceFinding(parseRelease(text ?? ''), await aptSources(machine));
  },
  fix: async ({ machine }) => {
    const release = parseRelease((await machine.readText('/etc/os-release')) ?? '');
    const origin = incusOrigin(release);
    const source =
      origin.kind === 'backports'
        ? mainSource(await aptSources(machine), origin.codename)
        : undefined;
    if (origin.kind !== 'backports' || !source)
      throw new CoiError('setup-failed', 'the source of this release vanished meanwhile');
    await machine.writeText(
      derivedPath,
      derivedSource(source, `${origin.codename}-backports`),
      0o644,
    );
  },
};

/** Whether apt knows a place that has Incus. */
function sourceFinding(release: Release, sources: readonly AptSource[]): Finding {
  const origin = incusOrigin(release);
  switch (origin.kind) {
    case 'main':
      return ok('the distribution has Incus in its main suite');
    case 'unknown':
      return finding(
        'failed',
        `no packages of Incus are known for ${release.title}`,
        {},
        {
          hint: 'Install Incus 6.0 or newer by hand, then run `coi setup` again.',
        },
      );
    case 'backports': {
      const suite = `${origin.codename}-backports`;
      if (hasSuite(sources, suite)) return ok(`${suite} is among apt's sources`);
      if (mainSource(sources, origin.codename)) {
        return finding(
          'failed',
          `${suite} is not among apt's sources`,
          {},
          {
            plan: `add ${suite} of this machine's own Debian mirror to apt's sources (${derivedPath})`,
          },
        );
      }
      return finding(
        'failed',
        `apt has no source for ${origin.codename} to derive ${suite} from`,
        {},
        {
          hint: `Add a source for ${suite} to ${sourceDir}.`,
        },
      );
    }
  }
}

export const packages: Check = {
  id: 'packages',
  title: 'Packages',
  group: 'SYSTEM',
  probe: async ({ machine }) => {
    const [missing, hasApt] = await Promise.all([
      missingPackages(machine),
      machine.kind('/usr/bin/apt-get'),
    ]);
    if (missing.length === 0) return ok(`all ${needs.length} are installed`);
    const plan = hasApt === 'missing' ? undefined : `install ${missing.join(', ')} with apt`;
    return finding(
      'failed',
      `missing: ${missing.join(', ')}`,
      { missing },
      { plan, hint: 'Install what is missing with the package manager of this host.' },
    );
  },
  fix: async (ground) => {
    const missing = await missingPackages(ground.machine);
    await noteMade(ground.machine, { packages: missing });
    await installPackages(ground, missing);
  },
};

export async function missingPackages(machine: Machine): Promise<string[]> {
  const found = await Promise.all(
    needs.map(async (need) => {
      const kinds = await Promise.all(need.shownBy.map((path) => machine.kind(path)));
      return kinds.some((kind) => kind === 'file' || kind === 'link') ? [] : [need.package];
    }),
  );
  return found.flat();
}

/** Every source that apt reads. */
async function aptSources(machine: Machine): Promise<AptSource[]> {
  const names = await machine.names(sourceDir);
  const read = async (path: string) => (await machine.readText(path)) ?? '';
  const [main, ...rest] = await Promise.all([
    read('/etc/apt/sources.list'),
    ...names.map((name) => read(`${sourceDir}/${name}`)),
  ]);
  const parsed = rest.map((text, at) => {
    const name = names[at] ?? '';
    return name.endsWith('.sources')
      ? parseDeb822(text)
      : name.endsWith('.list')
        ? parseSourceLines(text)
        : [];
  });
  return [...parseSourceLines(main), ...parsed.flat()];
}

/** A whole installation on a slow line. */
export const aptLimitMs = 20 * 60_000;
/** Another apt may be at work, such as unattended upgrades. */
export const aptOptions = [
  '-o',
  'DPkg::Lock::Timeout=300',
  '-o',
  'Dpkg::Options::=--force-confdef',
  '-o',
  'Dpkg::Options::=--force-confold',
];
export const aptEnv = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' };

async function installPackages(ground: Ground, names: readonly string[]): Promise<void> {
  const release = parseRelease((await ground.machine.readText('/etc/os-release')) ?? '');
  const origin = incusOrigin(release);
  const suite =
    origin.kind === 'backports' && names.includes('incus-base')
      ? ['-t', `${origin.codename}-backports`]
      : [];
  const apt = (...words: string[]) =>
    ground.machine.run(['apt-get', '-q', '-y', ...aptOptions, ...words], {
      env: aptEnv,
      timeoutMs: aptLimitMs,
      signal: ground.signal,
    });
  const install = () => apt(...suite, '--no-install-recommends', 'install', ...names);
  // Lists that are there and fresh enough save the slow update; a failure of any kind is tried again after mending what an interrupted run left.
  if ((await install()).status === 0) return;
  await ground.machine.run(['dpkg', '--force-confdef', '--force-confold', '--configure', '-a'], {
    env: aptEnv,
    timeoutMs: aptLimitMs,
    signal: ground.signal,
  });
  await apt('-f', 'install');
  const updated = await apt('update');
  const installed = await install();
  if (installed.status === 0) return;
  const cause =
    updated.status === 0 ? `apt-get install ${said(installed)}` : `apt-get update ${said(updated)}`;
  throw new CoiError('setup-failed', cause, {
    hint: 'Make apt work, then run `coi setup` again: it goes on where it stopped.',
  });
}
