// A private host with another OS than this machine: a privileged container of this machine's Incus that boots
// systemd. Differences from a real host: it has this machine's kernel; it has no loop devices, so its storage pool
// is plain directories and its sessions start slowly; Debian's units that are not for containers (LXCFS)
// do not start, and it uses this machine's LXCFS instead.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../scripts/run.ts';
import type { Incus } from '../../src/incus/client.ts';
import { testImage } from '../bed/bed.ts';
import { type CommandResult, mustRun, runCommand } from '../bed/command.ts';
import { openRealIncus } from '../bed/incus.ts';
import { newPrefix } from '../bed/prefix.ts';
import { sweepInstances } from '../bed/sweep.ts';
import { hostImage } from './host-image.ts';
import { account } from './recipe.ts';

const settings = {
  'security.privileged': 'true',
  'security.nesting': 'true',
  // As Debian 13 boots on real hardware. If this machine has cgroup v1, systemd would mount some controllers
  // differently, and no container would start; with these options it uses version 2 without controllers.
  'raw.lxc': 'lxc.init.cmd = /sbin/init systemd.unified_cgroup_hierarchy=1',
};
const bootMs = 60_000;
const limitMs = 240_000;
/** Path of the checkout's built program in the host, laid out as in the checkout. */
export const coi = '/opt/coi/coi';
const nodePath = `node_modules/node-linux-${process.arch}/bin/node`;
/** Environment of the account's programs: the agent is the test image's stub. */
const env = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: account.home,
  USER: account.name,
  LANG: 'C.UTF-8',
  COI_USE_DUMMY: '1',
};

export class SystemHost implements AsyncDisposable {
  readonly name: string;
  readonly #incus: Incus;
  readonly #prefix: string;

  private constructor(incus: Incus, prefix: string) {
    this.#incus = incus;
    this.#prefix = prefix;
    this.name = `${prefix}host`;
  }

  /** Boots one that contains only the program. */
  static async open(): Promise<SystemHost> {
    const incus = await openRealIncus();
    const host = new SystemHost(incus, newPrefix());
    try {
      await host.#make(await hostImage(incus));
      return host;
    } catch (error) {
      await host[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #make(image: string): Promise<void> {
    const config = Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]);
    await mustRun(['incus', 'init', image, this.name, ...config], { limitMs });
    // Mounts cannot be added to a running privileged container.
    const disk = (name: string, source: string, path: string) =>
      mustRun([
        ...['incus', 'config', 'device', 'add', this.name, name, 'disk'],
        ...[`source=${source}`, `path=${path}`, 'readonly=true'],
      ]);
    await disk('checkout', root, '/mnt/checkout');
    await mustRun(['incus', 'start', this.name]);
    await this.#booted();
    // Like a release: the built program and its Node, readable by every account.
    await this.must(
      'sh',
      '-ec',
      `mkdir -p "/opt/coi/$(dirname ${nodePath})"
       cd /mnt/checkout
       cp -r coi dist /opt/coi
       cp ${nodePath} /opt/coi/${nodePath}
       chmod -R a+rX /opt/coi`,
    );
  }

  /** Runs a program as root to its end. */
  run(...argv: string[]): Promise<CommandResult> {
    return runCommand(['incus', 'exec', this.name, '--disable-stdin', '--', ...argv], { limitMs });
  }

  async must(...argv: string[]): Promise<string> {
    return requireSuccess(argv, await this.run(...argv));
  }

  /** Runs a program as the ordinary account with the groups of a fresh login. */
  asUser(directory: string, ...argv: string[]): Promise<CommandResult> {
    const login = ['setpriv', `--reuid=${account.uid}`, `--regid=${account.uid}`, '--init-groups'];
    const variables = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    return this.run(...login, 'env', '-i', '-C', directory, ...variables, ...argv);
  }

  async mustAsUser(directory: string, ...argv: string[]): Promise<string> {
    return requireSuccess(argv, await this.asUser(directory, ...argv));
  }

  /** A project directory of the account. */
  async workspace(name: string): Promise<string> {
    const path = `${account.home}/${name}`;
    await this.mustAsUser(account.home, 'mkdir', path);
    return path;
  }

  /** Copies this machine's test image to the inner Incus. */
  async importTestImage(): Promise<void> {
    const directory = await mkdtemp('/var/tmp/coit-host-transfer-');
    try {
      await mustRun(['incus', 'image', 'export', testImage, join(directory, 'image'), '--quiet'], {
        limitMs,
      });
      await mustRun(
        ['incus', 'file', 'push', '--quiet', '--recursive', directory, `${this.name}/var/tmp`],
        { limitMs },
      );
      const there = `/var/tmp/${directory.split('/').at(-1)}`;
      await this.must(
        'sh',
        '-ec',
        `incus image import ${there}/* --alias ${testImage}; rm -r ${there}`,
      );
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Like `reboot`: every unit is stopped in order. */
  async reboot(): Promise<void> {
    await mustRun(['incus', 'restart', this.name], { limitMs });
    await this.#booted();
  }

  /** Waits until systemd has started everything. */
  async #booted(): Promise<void> {
    const script =
      'until [ -S /run/dbus/system_bus_socket ]; do sleep 0.1; done; systemctl is-system-running --wait';
    const argv = ['incus', 'exec', this.name, '--disable-stdin', '--', 'sh', '-c', script];
    const { stdout } = await runCommand(argv, { limitMs: bootMs });
    if (stdout.trim() === 'running') return;
    throw new Error(`the host did not boot: ${stdout}${await this.must('systemctl', '--failed')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await sweepInstances(this.#incus, this.#prefix);
    this.#incus.close();
  }
}

function requireSuccess(argv: readonly string[], result: CommandResult): string {
  if (result.status === 0) return result.stdout;
  throw new Error(`${argv.join(' ')}: status ${result.status}\n${result.stdout}${result.stderr}`);
}
