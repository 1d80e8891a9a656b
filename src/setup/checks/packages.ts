// Checks of the apt source of Incus and of the packages that sessions need on the host.
import { CoiError } from '../../errors.ts';
import type { SetupHost } from '../../host/install/setup-host.ts';
import { type AptSource, parseDeb822, parseSourceLines } from '../apt-sources.ts';
import { type Check, type CheckContext, type Finding, finding, ok } from '../check.ts';
import {
  derivedSource,
  hasSuite,
  incusOrigin,
  mainSource,
  parseRelease,
  type Release,
} from '../os-release.ts';
import { describeFailure } from '../run-or-throw.ts';
import { recordCreated } from '../setup-record.ts';

const sourceDir = '/etc/apt/sources.list.d';
export const backportsSourcePath = `${sourceDir}/coi-backports.sources`;

interface Need {
  readonly package: string;
  /** It counts as installed, from any source, if one of these files exists. */
  readonly shownBy: readonly string[];
}

/** `incus-base` is Incus without support for virtual machines; it includes the client, nftables and uidmap. */
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
  run: async ({ host }) => {
    const [text, missing] = await Promise.all([
      host.readText('/etc/os-release'),
      missingPackages(host),
    ]);
    if (!missing.includes('incus-base')) return ok('not needed: Incus is installed');
    return sourceFinding(parseRelease(text ?? ''), await aptSources(host));
  },
  fix: async ({ host }) => {
    const release = parseRelease((await host.readText('/etc/os-release')) ?? '');
    const origin = incusOrigin(release);
    const source =
      origin.kind === 'backports' ? mainSource(await aptSources(host), origin.codename) : undefined;
    if (origin.kind !== 'backports' || !source)
      throw new CoiError('setup-failed', 'the apt source of this release no longer exists');
    await host.writeText(
      backportsSourcePath,
      derivedSource(source, `${origin.codename}-backports`),
      0o644,
    );
  },
};

/** Whether apt has a source that contains Incus. */
function sourceFinding(release: Release, sources: readonly AptSource[]): Finding {
  const origin = incusOrigin(release);
  switch (origin.kind) {
    case 'main':
      return ok('the distribution has Incus in its main suite');
    case 'unknown':
      return finding(
        'failed',
        `there are no known Incus packages for ${release.title}`,
        {},
        {
          hint: 'Install Incus 6.0 or newer manually, then run `coi setup` again.',
        },
      );
    case 'backports': {
      const suite = `${origin.codename}-backports`;
      if (hasSuite(sources, suite)) return ok(`${suite} is in apt's sources`);
      if (mainSource(sources, origin.codename)) {
        return finding(
          'failed',
          `${suite} is not in apt's sources`,
          {},
          {
            plan: `add ${suite} from this host's own Debian mirror to apt's sources (${backportsSourcePath})`,
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
  run: async ({ host }) => {
    const [missing, hasApt] = await Promise.all([
      missingPackages(host),
      host.kind('/usr/bin/apt-get'),
    ]);
    if (missing.length === 0) return ok(`all ${needs.length} are installed`);
    const plan = hasApt === 'missing' ? undefined : `install ${missing.join(', ')} with apt`;
    return finding(
      'failed',
      `missing: ${missing.join(', ')}`,
      { missing },
      { plan, hint: "Install them with this host's package manager." },
    );
  },
  fix: async (context) => {
    const missing = await missingPackages(context.host);
    await recordCreated(context.host, { packages: missing });
    await installPackages(context, missing);
  },
};

export async function missingPackages(host: SetupHost): Promise<string[]> {
  const found = await Promise.all(
    needs.map(async (need) => {
      const kinds = await Promise.all(need.shownBy.map((path) => host.kind(path)));
      return kinds.some((kind) => kind === 'file' || kind === 'link') ? [] : [need.package];
    }),
  );
  return found.flat();
}

/** Every source that apt reads. */
async function aptSources(host: SetupHost): Promise<AptSource[]> {
  const names = await host.names(sourceDir);
  const read = async (path: string) => (await host.readText(path)) ?? '';
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

/** Enough for a full installation over a slow connection. */
export const aptLimitMs = 20 * 60_000;
/** Waits for another apt, such as unattended upgrades. */
export const aptOptions = [
  '-o',
  'DPkg::Lock::Timeout=300',
  '-o',
  'Dpkg::Options::=--force-confdef',
  '-o',
  'Dpkg::Options::=--force-confold',
];
export const aptEnv = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'l' };

async function installPackages(context: CheckContext, names: readonly string[]): Promise<void> {
  const release = parseRelease((await context.host.readText('/etc/os-release')) ?? '');
  const origin = incusOrigin(release);
  const suite =
    origin.kind === 'backports' && names.includes('incus-base')
      ? ['-t', `${origin.codename}-backports`]
      : [];
  const apt = (...words: string[]) =>
    context.host.run(['apt-get', '-q', '-y', ...aptOptions, ...words], {
      env: aptEnv,
      timeoutMs: aptLimitMs,
      signal: context.signal,
    });
  const install = () => apt(...suite, '--no-install-recommends', 'install', ...names);
  // Tries the existing package lists first, to save a slow update. After any failure: repairs what an interrupted run
  // left, updates and tries again.
  if ((await install()).status === 0) return;
  await context.host.run(['dpkg', '--force-confdef', '--force-confold', '--configure', '-a'], {
    env: aptEnv,
    timeoutMs: aptLimitMs,
    signal: context.signal,
  });
  await apt('-f', 'install');
  const updated = await apt('update');
  const installed = await install();
  if (installed.status === 0) return;
  const cause =
    updated.status === 0
      ? `apt-get install ${describeFailure(installed)}`
      : `apt-get update ${describeFailure(updated)}`;
  throw new CoiError('setup-failed', cause, {
    hint: 'Fix apt, then run `coi setup` again: it continues where it stopped.',
  });
}
