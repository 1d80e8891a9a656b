// An in-memory host: files, recorded program calls, and an Incus and a coid that can be dead.
import type { DaemonStatus } from '../../src/coid-api/protocol.ts';
import type { Installer, InstallState } from '../../src/host/install/install.ts';
import type {
  DetachedProcess,
  HostProcess,
  PathKind,
  RunResult,
  SetupHost,
} from '../../src/host/install/setup-host.ts';
import type { Incus } from '../../src/incus/client.ts';
import type { Network, Profile, StoragePool } from '../../src/incus/shapes.ts';
import type { CheckContext } from '../../src/setup/check.ts';
import {
  bareFiles,
  bridge,
  coidStatus,
  type FakeFile,
  type FakeHostState,
  gib,
  packageFiles,
  pool,
  untouchedProfile,
  wanted,
} from './host-states.ts';

const success: RunResult = { status: 0, stdout: '', stderr: '' };
const failure = (status: number, stderr: string): RunResult => ({ status, stdout: '', stderr });
const places = {
  libDir: '/usr/local/lib/coi',
  linkPath: '/usr/local/bin/coi',
  manPath: '/usr/local/share/man/man1/coi.1',
};

export class FakeHost implements SetupHost {
  readonly uid = 0;
  readonly groups: readonly number[];
  readonly files = new Map<string, FakeFile>();
  /** Executed command lines; those started detached end with `&`. */
  readonly ran: string[] = [];
  pools: StoragePool[];
  networks: Network[];
  incusState: NonNullable<FakeHostState['incus']>;
  coidStatus: DaemonStatus | undefined;
  installed: InstallState;
  #aptFailures: number;
  readonly #state: FakeHostState;
  profile: Profile | undefined;

  constructor(state: FakeHostState = {}) {
    this.#state = state;
    this.profile = state.profile ?? untouchedProfile;
    this.groups = state.groups ?? [0];
    for (const [path, file] of Object.entries({ ...bareFiles, ...state.files }))
      this.files.set(path, file);
    this.pools = [...(state.pools ?? [])];
    this.networks = [...(state.networks ?? [])];
    this.incusState = state.incus ?? 'absent';
    this.coidStatus =
      state.coid === undefined || state.coid === 'absent' ? undefined : coidStatus(state.coid);
    this.installed = state.install ?? {
      wanted,
      installed: undefined,
      link: 'missing',
      man: 'missing',
    };
    this.#aptFailures = state.aptFailures ?? 0;
  }

  context(signal: AbortSignal = new AbortController().signal): CheckContext {
    const installer: Installer = {
      installPaths: places,
      paths: [places.libDir],
      state: async () => this.installed,
      install: async () => {
        this.ran.push('install coi');
        this.installed = { wanted, installed: wanted, link: 'ours', man: 'ours' };
      },
      remove: async (before) => {
        this.ran.push(`remove coi, ${before ?? 'nothing'} before it`);
        this.installed = { wanted, installed: undefined, link: 'missing', man: 'missing' };
      },
    };
    return {
      host: this,
      incus: async () => this.#incus(),
      coidStatus: async () => {
        if (this.coidStatus) return this.coidStatus;
        throw Object.assign(new Error('no socket'), { code: 'coid-unreachable' });
      },
      installer,
      caller: this.#state.caller ?? { name: 'root', uid: 0 },
      version: '1.2.3',
      coidUnit: (path) => `ExecStart=${path}`,
      imageAlias: 'coi-default',
      signal,
    };
  }

  async run(argv: readonly string[]): Promise<RunResult> {
    const line = argv.join(' ');
    if (line.startsWith('ip -4 route'))
      return {
        ...success,
        stdout: this.#state.routes ?? 'default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0\n',
      };
    if (line === 'nft -j list ruleset')
      return { ...success, stdout: '{"nftables":[{"metainfo":{}}]}' };
    this.ran.push(line);
    if (argv[0] === 'apt-get') return this.#apt(argv);
    if (line === 'umount -l /var/lib/lxcfs') {
      this.files.set('/var/lib/lxcfs', { kind: 'directory' });
      this.files.delete('/var/lib/lxcfs/proc');
    }
    if (argv[0] === 'groupadd') this.#append('/etc/group', `${argv.at(-1)}:x:994:\n`);
    if (argv[0] === 'gpasswd')
      this.files.set(
        '/etc/group',
        this.#text('/etc/group').replace(/^(incus-admin:.*)$/m, `$1${argv[2]}`),
      );
    if (line.endsWith('coi daemon start') || line === 'systemctl restart coid.service')
      this.coidStatus = coidStatus({});
    if (line.endsWith('coi daemon stop')) this.coidStatus = undefined;
    if (line === 'systemctl start incus.service') this.incusState = 'running';
    if (line === 'systemctl enable --now lxcfs.service')
      this.files.set('/var/lib/lxcfs/proc', { kind: 'directory' });
    if (argv[1] === 'waitready' && this.incusState !== 'running') return failure(1, 'timeout');
    return success;
  }

  async startDetached(argv: readonly string[]): Promise<DetachedProcess> {
    this.ran.push(`${argv.join(' ')} &`);
    if (argv[0] === 'lxcfs') this.files.set('/var/lib/lxcfs/proc', { kind: 'directory' });
    if (argv.some((word) => word.endsWith('/incusd'))) this.incusState = 'running';
    return { pid: 7, ended: new Promise(() => {}) };
  }

  async readText(path: string): Promise<string | undefined> {
    const file = this.files.get(path);
    return typeof file === 'string' ? file : undefined;
  }

  async writeText(path: string, text: string): Promise<void> {
    this.ran.push(`write ${path}`);
    this.files.set(path, text);
  }

  async overwrite(path: string, text: string): Promise<void> {
    await this.writeText(path, text);
  }

  async kind(path: string): Promise<PathKind> {
    const file = this.files.get(path);
    if (file !== undefined) return typeof file === 'string' ? 'file' : file.kind;
    return [...this.files.keys()].some((name) => name.startsWith(`${path}/`))
      ? 'directory'
      : 'missing';
  }

  async mountPoints(): Promise<string[]> {
    return [];
  }

  async names(path: string): Promise<string[]> {
    const below = [...this.files.keys()].filter((name) => name.startsWith(`${path}/`));
    return [
      ...new Set(below.map((name) => name.slice(path.length + 1).split('/')[0] ?? '')),
    ].sort();
  }

  async linkTarget(path: string): Promise<string | undefined> {
    return path.endsWith('/exe') && this.coidStatus
      ? `${places.libDir}/${this.installed.installed}/bin/node`
      : undefined;
  }

  async freeBytes(): Promise<number> {
    return this.#state.freeBytes ?? 100 * gib;
  }

  async processes(): Promise<HostProcess[]> {
    return this.incusState === 'running' ? [{ pid: 7, name: 'incusd' }] : [];
  }

  #apt(argv: readonly string[]): RunResult {
    if (!argv.includes('install') || argv.includes('-f')) return success;
    if (this.#aptFailures-- > 0) return failure(100, 'E: something is wrong');
    for (const [name, path] of Object.entries(packageFiles))
      if (argv.includes(name)) this.files.set(path, { kind: 'file' });
    if (argv.includes('incus-base') && !this.#text('/etc/group').includes('incus-admin'))
      this.#append('/etc/group', 'incus-admin:x:994:\n');
    return success;
  }

  #incus(): Incus {
    const errno = {
      running: undefined,
      dead: 'ECONNREFUSED',
      absent: 'ENOENT',
      forbidden: 'EACCES',
    }[this.incusState];
    if (errno) throw Object.assign(new Error(`connect ${errno}`), { status: 0, errno });
    const calls: Partial<Incus> = {
      server: async () => ({
        api_extensions: [],
        auth: 'trusted',
        config: {},
        environment: {
          server: 'incus',
          server_version: '6.0.4',
          server_pid: 7,
          kernel_version: '6.1',
          storage: 'btrfs',
        },
      }),
      storagePools: async () => this.pools,
      storageResources: async () => ({ space: { used: gib, total: 30 * gib } }),
      createStoragePool: async ({ name, driver, config, description = '' }) => {
        this.ran.push(`pool ${name} ${driver} ${JSON.stringify(config)}`);
        this.pools.push({ ...pool(name, driver, config), description });
      },
      profile: async () => this.profile,
      updateProfile: async (name, { devices }) => {
        this.ran.push(`update profile ${name} ${JSON.stringify(devices)}`);
        if (this.profile) this.profile = { ...this.profile, devices };
      },
      networks: async () => this.networks,
      network: async (name) => this.networks.find((network) => network.name === name),
      createNetwork: async ({ name, config }) => {
        this.ran.push(`network ${name} ${config['ipv4.address']}`);
        this.networks.push(bridge(name, config));
      },
      updateNetwork: async (name) => {
        this.ran.push(`update network ${name}`);
        this.files.delete(`/var/lib/incus/networks/${name}/dnsmasq.pid`);
      },
      imageAlias: async (alias) =>
        this.#state.images?.includes(alias)
          ? { name: alias, description: '', target: 'f00d', type: 'container' }
          : undefined,
    };
    return calls as Incus;
  }

  #text(path: string): string {
    const file = this.files.get(path);
    return typeof file === 'string' ? file : '';
  }

  #append(path: string, text: string): void {
    this.files.set(path, this.#text(path) + text);
  }
}
