// What a host of Debian 13 is made of, as arguments of mmdebstrap. Pure. Its packages and lists come along, but nothing
// that `coi setup` installs or configures is there yet.
import { createHash } from 'node:crypto';
import { type ImageSource, imageSources, sourcesFile } from '../../src/image/sources.ts';
import { neededPackages } from '../../src/setup/checks/packages.ts';
import { parseRelease } from '../../src/setup/os.ts';

/** The account that uses coi there. */
export const account = { name: 'dev', uid: 1000, home: '/home/dev' } as const;

export interface Recipe {
  /** For mmdebstrap, without the tar file and the sources, which come last. */
  readonly argv: readonly string[];
  /** A deb822 file: this machine's own mirrors, for Debian 13. */
  readonly sources: string;
  /** Of all that, so that another recipe makes another image. */
  readonly hash: string;
}

/** `release`, `sources` and `settings` are those of this machine. */
export type MakeRecipe = (
  release: string,
  sources: readonly ImageSource[],
  settings: readonly string[],
) => Recipe;

/** A server as Debian's installer leaves it: systemd, network by DHCP, sudo. The test image comes packed by zstd. */
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
  // Nothing in it has to survive a power cut, and to wait for the disk is what an installation spends most time on.
  '/etc/dpkg/dpkg.cfg.d/unsafe-io': 'force-unsafe-io\n',
  '/etc/sudoers.d/dev': `${account.name} ALL=(ALL) NOPASSWD: ALL\n`,
};

export const recipe: MakeRecipe = (release, sources, settings) => {
  const hooks = [
    ...Object.entries(files).map(([path, text]) => `printf '%s' '${text}' > "$1${path}"`),
    `chroot "$1" useradd --create-home --shell /bin/bash --uid ${account.uid} ${account.name}`,
    // Incus passes the machine's LXCFS on to a container that has this directory when it starts; Debian's own unit
    // does not start one in a container.
    'mkdir -p "$1/var/lib/lxcfs"',
    'chroot "$1" apt-get clean',
    // What setup will ask apt for lies in its cache, so that it needs no network and no time of a mirror.
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
  return finished(
    argv,
    sourcesFile(imageSources(parseRelease(release), sources), (key) => key),
  );
};

export function finished(argv: readonly string[], sources: string): Recipe {
  const hash = createHash('sha256')
    .update(JSON.stringify([argv, sources]))
    .digest('hex');
  return { argv, sources, hash: hash.slice(0, 12) };
}
