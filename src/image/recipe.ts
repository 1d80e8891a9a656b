// The recipe of an image: packages, agents and scripts. Its hash shows whether an image is up to date. Pure.
import { createHash } from 'node:crypto';
import { CoiError } from '../errors.ts';

export type Variant = 'default' | 'test';

/** One script of guest/, run as root in the build container. */
export interface BuildStep {
  readonly name: string;
  readonly title: string;
  readonly script: string;
  readonly args: readonly string[];
}

export interface Recipe {
  readonly variant: Variant;
  /** Debian package names; the essential packages are always installed. */
  readonly packages: readonly string[];
  /** npm packages, `name` or `name@range`, installed globally. */
  readonly npmPackages: readonly string[];
  readonly steps: readonly BuildStep[];
}

/** Names of an architecture in Node (and npm), Debian and Incus. */
export interface Architecture {
  readonly node: 'x64' | 'arm64';
  readonly debian: 'amd64' | 'arm64';
  readonly incus: 'x86_64' | 'aarch64';
}

/** The architecture for `process.arch`. Throws `image-build-failed` if there is no image for it. */
export function architecture(node: string): Architecture {
  if (node === 'x64') return { node, debian: 'amd64', incus: 'x86_64' };
  if (node === 'arm64') return { node, debian: 'arm64', incus: 'aarch64' };
  throw new CoiError('image-build-failed', `there is no image for the architecture ${node}`, {
    hint: 'Build images on x86_64 or aarch64.',
  });
}

/** Agents that `[container.build] agents` can name, with their npm packages. */
export const agentPackages: Readonly<Record<string, string>> = {
  claude: '@anthropic-ai/claude-code',
  opencode: 'opencode-ai',
  pi: '@mariozechner/pi-coding-agent',
  codex: '@openai/codex',
  gemini: '@google/gemini-cli',
};

const nodeMajor = 24;
const npmMajor = 11;

const basePackages = [
  // The system: systemd without udev, since a container has no hardware.
  ...['apt', 'systemd', 'systemd-sysv', 'dbus', 'sudo', 'tzdata', 'ca-certificates', 'udhcpc'],
  ...['iproute2', 'iputils-ping', 'nftables', 'netcat-openbsd', 'curl', 'openssh-client'],
  // Not run as a service: `coi ssh-config` starts it for one connection, on pipes.
  'openssh-server',
  ...['tmux', 'less', 'procps', 'psmisc', 'jq', 'git', 'python3-minimal'],
];

const workPackages = [
  ...['build-essential', 'pkg-config', 'python3', 'python3-venv', 'python3-pip', 'gh'],
  'git-lfs',
  ...[
    'ripgrep',
    'fd-find',
    'fzf',
    'bat',
    'tree',
    'file',
    'wget',
    'rsync',
    'sqlite3',
    'bash-completion',
  ],
  ...[
    'unzip',
    'zip',
    'xz-utils',
    'zstd',
    'bzip2',
    'vim-tiny',
    'nano',
    'strace',
    'lsof',
    'htop',
    'bind9-dnsutils',
  ],
  ...['docker.io', 'docker-cli', 'docker-compose', 'docker-buildx', 'iptables', 'fuse-overlayfs'],
];

/** Throws `config-invalid` for an unknown agent. */
export function recipe(
  variant: Variant,
  agents: readonly string[],
  { node }: Architecture,
): Recipe {
  const test = variant === 'test';
  const packages = test ? basePackages : [...basePackages, ...workPackages];
  const npmPackages = test
    ? []
    : [`node-linux-${node}@${nodeMajor}`, `npm@${npmMajor}`, 'corepack', ...agents.map(npmPackage)];
  const steps: BuildStep[] = [
    { name: 'packages', title: 'Installing packages', script: 'packages.sh', args: packages },
    { name: 'system', title: 'Setting up the system', script: 'system.sh', args: [] },
  ];
  if (!test) {
    steps.push({ name: 'docker', title: 'Setting up Docker', script: 'docker.sh', args: [] });
    steps.push({
      name: 'agents',
      title: 'Installing the agents',
      script: 'agents.sh',
      args: agents,
    });
  }
  steps.push({ name: 'finish', title: 'Cleaning up', script: 'finish.sh', args: [] });
  return { variant, packages, npmPackages, steps };
}

function npmPackage(agent: string): string {
  const name = agentPackages[agent];
  if (name !== undefined) return name;
  throw new CoiError('config-invalid', `[container.build] agents: unknown agent '${agent}'`, {
    hint: `Use one of: ${Object.keys(agentPackages).join(', ')}.`,
  });
}

/** A file of guest/, for the hash. */
export interface GuestFile {
  readonly path: string;
  readonly content: Buffer;
}

/** 16 hex digits that change with everything that coi itself puts into the image. */
export function recipeHash(
  { variant, packages, npmPackages, steps }: Recipe,
  files: readonly GuestFile[],
): string {
  const hash = createHash('sha256').update(
    JSON.stringify({ variant, packages, npmPackages, steps }),
  );
  for (const { path, content } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`\0${path}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

/** metadata.yaml of the image (JSON is YAML): the files that Incus writes from templates at each start or copy. */
export function imageMetadata(
  arch: Architecture,
  createdAt: Date,
  properties: Readonly<Record<string, string>>,
): string {
  const made = ['create', 'copy'];
  return JSON.stringify({
    architecture: arch.incus,
    creation_date: Math.floor(createdAt.getTime() / 1000),
    properties: { os: 'debian', release: 'trixie', ...properties },
    templates: {
      '/etc/hostname': { when: made, template: 'hostname.tpl' },
      '/etc/hosts': { when: made, template: 'hosts.tpl' },
      '/etc/resolv.conf': { when: [...made, 'start'], template: 'resolv.conf.tpl' },
    },
  });
}
