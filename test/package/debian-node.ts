// Hosts with Debian's own Node and npm, too old for coi: containers of this machine's Incus.
import { imageRelease, imageSources, sourcesFile } from '../../src/image/sources.ts';
import type { Incus } from '../../src/incus/client.ts';
import { parseRelease } from '../../src/setup/os-release.ts';
import { type CommandResult, mustRun, runCommand } from '../bed/command.ts';
import { cachedImage } from '../hosts/host-image.ts';
import { account, finishRecipe, type MakeRecipe } from '../hosts/recipe.ts';

export interface Release {
  readonly version: number;
  readonly codename: string;
  /** The major version of its Node. */
  readonly node: number;
}

export const releases: readonly Release[] = [
  { version: 12, codename: 'bookworm', node: 18 },
  { version: 13, codename: 'trixie', node: 20 },
];

const limitMs = 240_000;
/** npm has some three hundred packages; `man` must find the page. */
const packages = [
  ...['systemd-sysv', 'ifupdown', 'isc-dhcp-client', 'iproute2', 'ca-certificates'],
  ...['sudo', 'man-db', 'nodejs', 'npm'],
];
const files: Readonly<Record<string, string>> = {
  '/etc/hosts': '127.0.0.1 localhost\n',
  '/etc/network/interfaces': 'auto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n',
  '/etc/dpkg/dpkg.cfg.d/unsafe-io': 'force-unsafe-io\n',
  '/etc/sudoers.d/dev': `${account.name} ALL=(ALL) NOPASSWD: ALL\n`,
};

const recipeOf =
  ({ codename }: Release): MakeRecipe =>
  (release, sources, settings) => {
    const hooks = [
      ...Object.entries(files).map(([path, text]) => `printf '%s' '${text}' > "$1${path}"`),
      `chroot "$1" useradd --create-home --shell /bin/bash --uid ${account.uid} ${account.name}`,
    ];
    const argv = [
      '--variant=minbase',
      '--aptopt=APT::Install-Recommends "false"',
      ...settings.map((line) => `--aptopt=${line.replace(/;$/, '')}`),
      `--include=${packages.join(',')}`,
      ...hooks.map((hook) => `--customize-hook=${hook}`),
      codename,
    ];
    const text = sourcesFile(imageSources(parseRelease(release), sources), (key) => key);
    return finishRecipe(argv, text.replaceAll(imageRelease, codename));
  };

/** A booted one with network. */
export class DebianHost {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  static async open(incus: Incus, prefix: string, release: Release): Promise<DebianHost> {
    const stem = `coi-host-npm-debian${release.version}-`;
    const image = await cachedImage(incus, stem, recipeOf(release));
    const host = new DebianHost(`${prefix}debian${release.version}`);
    await mustRun(['incus', 'launch', image, host.name], { limitMs });
    const online = 'until ip -4 route get 192.0.2.1 && [ -s /etc/resolv.conf ]; do sleep 0.2; done';
    await host.must({}, 'timeout', '60', 'sh', '-c', online);
    return host;
  }

  /** Pushes a file of this machine, readable by everyone. */
  async push(from: string, to: string): Promise<void> {
    await mustRun(['incus', 'file', 'push', '--mode=0644', from, `${this.name}${to}`], { limitMs });
  }

  /** As root with only these variables and a plain PATH. */
  run(env: Readonly<Record<string, string>>, ...argv: string[]): Promise<CommandResult> {
    const plain = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', HOME: '/root' };
    const words = Object.entries({ ...plain, ...env }).map(([key, value]) => `${key}=${value}`);
    const exec = ['incus', 'exec', this.name, '--disable-stdin', '--'];
    return runCommand([...exec, 'env', '-i', '-C', '/', ...words, ...argv], { limitMs });
  }

  async must(env: Readonly<Record<string, string>>, ...argv: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(env, ...argv);
    if (status === 0) return stdout;
    throw new Error(`${argv.join(' ')}: status ${status}\n${stdout}${stderr}`);
  }
}
