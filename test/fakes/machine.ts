// A host that exists only in memory: files, programs that were run, and an Incus and a coid that can be dead.
import type { DaemonStatus } from '../../src/daemon/protocol.ts';
import type { Installer, InstallState } from '../../src/host/install.ts';
import type { Machine, PathKind, Process, RunResult, Started } from '../../src/host/machine.ts';
import type { Incus } from '../../src/incus/client.ts';
import type { Network, Profile, StoragePool } from '../../src/incus/shapes.ts';
import type { Ground } from '../../src/setup/check.ts';

export type FakeFile = string | { readonly kind: PathKind };

/** Whatever a scenario changes; the rest is a bare Debian 12 with systemd absent. */
export interface FakeHostState {
  readonly files?: Readonly<Record<string, FakeFile>>;
  readonly pools?: readonly StoragePool[];
  readonly networks?: readonly Network[];
  readonly profile?: Profile;
  readonly images?: readonly string[];
  /** `dead`: a socket nobody listens on. */
  readonly incus?: 'running' | 'dead' | 'absent' | 'forbidden';
  readonly coid?: Partial<DaemonStatus> | 'absent';
  readonly install?: InstallState;
  readonly caller?: { readonly name: string; readonly uid: number };
  readonly groups?: readonly number[];
  readonly freeBytes?: number;
  readonly routes?: string;
  /** The first answers of apt-get install, instead of success. */
  readonly aptFailures?: number;
}

const success: RunResult = { status: 0, stdout: '', stderr: '' };
const failure = (status: number, stderr: string): RunResult => ({ status, stdout: '', stderr });
export const gib = 1024 ** 3;

const bareFiles: Readonly<Record<string, FakeFile>> = {
  '/etc/os-release':
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\nID=debian\n',
  '/etc/apt/sources.list.d/debian.sources':
    'Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\nSigned-By: /usr/share/keyrings/k.gpg\n',
  '/usr/bin/apt-get': { kind: 'file' },
  '/etc/ssl/certs/ca-certificates.crt': { kind: 'file' },
  '/etc/group': 'root:x:0:\nann:x:1000:\n',
  '/proc/sys/kernel/osrelease': '6.1.0-13-amd64\n',
  '/proc/sys/user/max_user_namespaces': '15000\n',
  '/proc/self/mounts': 'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
  '/proc/sys/net/ipv4/ip_forward': '0\n',
  '/proc/filesystems': 'nodev\tproc\n\text4\n\tbtrfs\n',
  '/dev/loop-control': { kind: 'other' },
  '/etc/resolv.conf': 'nameserver 192.0.2.53\n',
  '/var/lib/lxcfs': { kind: 'missing' },
};

/** What each package puts on the disk. */
const packageFiles: Readonly<Record<string, string>> = {
  'incus-base': '/usr/libexec/incus/incusd',
  lxcfs: '/usr/bin/lxcfs',
  'dnsmasq-base': '/usr/sbin/dnsmasq',
  nftables: '/usr/sbin/nft',
  'btrfs-progs': '/usr/bin/btrfs',
  uidmap: '/usr/bin/newuidmap',
  mmdebstrap: '/usr/bin/mmdebstrap',
  'debian-archive-keyring': '/usr/share/keyrings/debian-archive-keyring.gpg',
};

const places = { libDir: '/usr/local/lib/coi', linkPath: '/usr/local/bin/coi' };
const wanted = 'aaaaaaaaaaaaaaaa';

export class FakeHost implements Machine {
  readonly uid = 0;
  readonly groups: readonly number[];
  readonly files = new Map<string, FakeFile>();
  /** Command lines that were run, and those started detached with a `&`. */
  readonly ran: string[] = [];
  pools: StoragePool[];
  networks: Network[];
  incusState: NonNullable<FakeHostState['incus']>;
  coidStatus: DaemonStatus | undefined;
  installed: InstallState;
  #aptFailures: number;
  readonly #state: FakeHostState;

  constructor(state: FakeHostState = {}) {
    this.#state = state;
    this.groups = state.groups ?? [0];
    for (const [path, file] of Object.entries({ ...bareFiles, ...state.files }))
      this.files.set(path, file);
    this.pools = [...(state.pools ?? [])];
    this.networks = [...(state.networks ?? [])];
    this.incusState = state.incus ?? 'absent';
    this.coidStatus =
      state.coid === undefined || state.coid === 'absent' ? undefined : coidStatus(state.coid);
    this.installed = state.install ?? { wanted, installed: undefined, link: 'missing' };
    this.#aptFailures = state.aptFailures ?? 0;
  }

  ground(signal: AbortSignal = new AbortController().signal): Ground {
    const installer: Installer = {
      places,
      state: async () => this.installed,
      install: async () => {
        this.ran.push('install coi');
        this.installed = { wanted, installed: wanted, link: 'ours' };
      },
    };
    return {
      machine: this,
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

  async startDetached(argv: readonly string[]): Promise<Started> {
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

  async processes(): Promise<Process[]> {
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
      createStoragePool: async ({ name, driver, config }) => {
        this.ran.push(`pool ${name} ${driver} ${JSON.stringify(config)}`);
        this.pools.push(pool(name, driver, config));
      },
      profile: async () => this.#state.profile,
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

export function pool(
  name: string,
  driver: string,
  config: Record<string, string> = {},
  status = 'Created',
): StoragePool {
  return { name, driver, config, status, description: '', used_by: [] };
}

export function bridge(name: string, config: Record<string, string>): Network {
  return {
    name,
    type: 'bridge',
    managed: true,
    status: 'Created',
    description: '',
    config,
    used_by: [],
  };
}

export function coidStatus(changes: Partial<DaemonStatus>): DaemonStatus {
  return {
    protocol: 1,
    version: '1.2.3',
    pid: 42,
    startedAt: '2026-01-01T00:00:00Z',
    incus: 'connected',
    sessions: 0,
    leases: 0,
    bridge: 'coibr0',
    ...changes,
  } as DaemonStatus;
}

/** Everything that a host needs is there and alive. */
export const wellState: FakeHostState = {
  files: {
    ...Object.fromEntries(Object.values(packageFiles).map((path) => [path, { kind: 'file' }])),
    '/etc/subuid': 'root:1000000:1000000000\n',
    '/etc/subgid': 'root:1000000:1000000000\n',
    '/etc/group': 'root:x:0:\nincus-admin:x:994:ann\n',
    '/proc/sys/net/ipv4/ip_forward': '1\n',
    '/var/lib/lxcfs': { kind: 'directory' },
    '/var/lib/lxcfs/proc': { kind: 'directory' },
  },
  incus: 'running',
  pools: [pool('default', 'btrfs')],
  networks: [
    bridge('coibr0', {
      'ipv4.address': '10.77.0.1/22',
      'ipv4.nat': 'true',
      'ipv4.dhcp.ranges': '10.77.3.2-10.77.3.250',
      'ipv6.address': 'none',
    }),
  ],
  images: ['coi-default'],
  coid: {},
  install: { wanted, installed: wanted, link: 'ours' },
};
