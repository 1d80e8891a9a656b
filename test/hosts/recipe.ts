// Recipe of a Debian 13 host, as arguments of mmdebstrap. Pure. It includes packages and package lists, but nothing
// that `coi setup` installs or configures.
import { createHash } from 'node:crypto';
import { type ImageSource, imageSources, sourcesFile } from '../../src/image/sources.ts';
import { neededPackages } from '../../src/setup/checks/packages.ts';
import { parseRelease } from '../../src/setup/os-release.ts';

/** The account that uses coi there. */
export const account = { name: 'dev', uid: 1000, home: '/home/dev' } as const;

export interface Recipe {
  /** For mmdebstrap, without the tar file and the sources, which come last. */
  readonly argv: readonly string[];
  /** A deb822 file with this machine's mirrors, for Debian 13. */
  readonly sources: string;
  /** Hash of all that, so that a changed recipe makes a new image. */
  readonly hash: string;
}

/** `release`, `sources` and `settings` are this machine's. */
export type MakeRecipe = (
  release: string,
  sources: readonly ImageSource[],
  settings: readonly string[],
) => Recipe;

/** A server like Debian's installer makes: systemd, DHCP, sudo. zstd unpacks the test image. */
const packages = [
  'systemd-sysv',
  'udev',
  'dbus',
  'sudo',
  'ifupdown',
  'isc-dhcp-client',
  'iproute2',
  'procps',
  'kmod',
  'ca-certificates',
  'debian-archive-keyring',
  'zstd',
];

const files: Readonly<Record<string, string>> = {
  '/etc/hostname': 'debian-13\n',
  '/etc/hosts': '127.0.0.1 localhost\n127.0.1.1 debian-13\n',
  '/etc/network/interfaces': 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n',
  // Nothing in it has to survive a power failure, and syncing takes most of an installation's time.
  '/etc/dpkg/dpkg.cfg.d/unsafe-io': 'force-unsafe-io\n',
  '/etc/sudoers.d/dev': `${account.name} ALL=(ALL) NOPASSWD: ALL\n`,
};

export const recipe: MakeRecipe = (release, sources, settings) => {
  const hooks = [
    ...Object.entries(files).map(([path, text]) => `printf '%s' '${text}' > "$1${path}"`),
    `chroot "$1" useradd --create-home --shell /bin/bash --uid ${account.uid} ${account.name}`,
    // Incus passes the machine's LXCFS to a container that has this directory at start; Debian's own unit
    // does not start one in a container.
    'mkdir -p "$1/var/lib/lxcfs"',
    'chroot "$1" apt-get clean',
    // Packages that setup will install are in apt's cache, so that it needs neither network nor a mirror.
    `chroot "$1" apt-get -y --no-install-recommends --download-only install ${neededPackages.join(' ')}`,
  ];
  const argv = [
    '--variant=minbase',
    '--skip=cleanup/apt',
    '--aptopt=APT::Install-Recommends "false"',
    ...settings.map((line) => `--aptopt=${line.replace(/;$/, '')}`),
    `--include=${packages.join(',')}`,
    ...hooks.map((hook) => `--customize-hook=${hook}`),
    'trixie',
  ];
  return finishRecipe(
    argv,
    sourcesFile(imageSources(parseRelease(release), sources), (key) => key),
  );
};

export function finishRecipe(argv: readonly string[], sources: string): Recipe {
  const hash = createHash('sha256')
    .update(JSON.stringify([argv, sources]))
    .digest('hex');
  return { argv, sources, hash: hash.slice(0, 12) };
}
