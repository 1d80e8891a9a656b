// Initial host states: a bare Debian 12, and a healthy host.
import type { DaemonStatus } from '../../src/coid-api/protocol.ts';
import { protocolVersion } from '../../src/coid-api/protocol.ts';
import type { InstallState } from '../../src/host/install/install.ts';
import type { PathKind } from '../../src/host/install/setup-host.ts';
import type { Network, Profile, StoragePool } from '../../src/incus/shapes.ts';

export type FakeFile = string | { readonly kind: PathKind };

/** Fields that a scenario changes; the rest is a bare Debian 12 without systemd. */
export interface FakeHostState {
  readonly files?: Readonly<Record<string, FakeFile>>;
  readonly pools?: readonly StoragePool[];
  readonly networks?: readonly Network[];
  readonly profile?: Profile;
  readonly images?: readonly string[];
  /** `dead`: a socket without a listener. */
  readonly incus?: 'running' | 'dead' | 'absent' | 'forbidden';
  readonly coid?: Partial<DaemonStatus> | 'absent';
  readonly install?: InstallState;
  readonly caller?: { readonly name: string; readonly uid: number };
  readonly groups?: readonly number[];
  readonly freeBytes?: number;
  readonly routes?: string;
  /** The first results of apt-get install, instead of success. */
  readonly aptFailures?: number;
}

export const gib = 1024 ** 3;

export const bareFiles: Readonly<Record<string, FakeFile>> = {
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
  '/proc/sys/fs/inotify/max_user_instances': '128\n',
  '/proc/filesystems': 'nodev\tproc\n\text4\n\tbtrfs\n',
  '/dev/loop-control': { kind: 'other' },
  '/etc/resolv.conf': 'nameserver 192.0.2.53\n',
  '/var/lib/lxcfs': { kind: 'missing' },
};

/** Files that each package installs. */
export const packageFiles: Readonly<Record<string, string>> = {
  'incus-base': '/usr/libexec/incus/incusd',
  lxcfs: '/usr/bin/lxcfs',
  'dnsmasq-base': '/usr/sbin/dnsmasq',
  nftables: '/usr/sbin/nft',
  'btrfs-progs': '/usr/bin/btrfs',
  uidmap: '/usr/bin/newuidmap',
  mmdebstrap: '/usr/bin/mmdebstrap',
  'debian-archive-keyring': '/usr/share/keyrings/debian-archive-keyring.gpg',
};

/** Content of the program to be installed. */
export const wanted = 'aaaaaaaaaaaaaaaa';

export function pool(
  name: string,
  driver: string,
  config: Record<string, string> = {},
  status = 'Created',
): StoragePool {
  return { name, driver, config, status, description: '', used_by: [] };
}

/** A fresh Incus before `incus admin init`. */
export const untouchedProfile: Profile = {
  name: 'default',
  description: 'Default Incus profile',
  config: {},
  devices: {},
  used_by: [],
};

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
    protocol: protocolVersion,
    version: '1.2.3',
    pid: 42,
    startedAt: '2026-01-01T00:00:00Z',
    incus: 'connected',
    sessions: 0,
    leases: 0,
    guarded: 0,
    bridge: 'coibr0',
    ...changes,
  } as DaemonStatus;
}

/** A host with everything that coi needs installed and running. */
export const healthyState: FakeHostState = {
  files: {
    ...Object.fromEntries(Object.values(packageFiles).map((path) => [path, { kind: 'file' }])),
    '/etc/subuid': 'root:1000000:1000000000\n',
    '/etc/subgid': 'root:1000000:1000000000\n',
    '/etc/group': 'root:x:0:\nincus-admin:x:994:ann\n',
    '/proc/sys/net/ipv4/ip_forward': '1\n',
    '/proc/sys/fs/inotify/max_user_instances': '1048576\n',
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
  install: { wanted, installed: wanted, link: 'ours', man: 'ours' },
};
