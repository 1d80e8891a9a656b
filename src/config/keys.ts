// THE table of configuration keys: type, default, how layers merge, whom coi trusts with it, what it is for.
// `coi config show`, `coi config schema`, the reader, the merger and the trust gate all read this table.
import { customTool } from './custom-tool.ts';
import {
  choice,
  decimal,
  durationMs,
  either,
  flag,
  guestPath,
  integer,
  list,
  mapped,
  named,
  optional,
  path,
  required,
  table,
  text,
  type ValueType,
  withDefault,
} from './values.ts';

/**
 * How a layer's value joins that of the layers below it.
 * `replace`: any given value wins. `nonzero`: empty strings and 0 mean "not set". `on`: only true counts.
 * `append`, `union` (without duplicates), `keywise`, `by-name`: lists and tables grow.
 */
export type Merge = 'replace' | 'nonzero' | 'on' | 'append' | 'union' | 'keywise' | 'by-name';

/**
 * Who may set it. `any`: harmless, also in a project's file. `user`: only the user's own files. The others loosen
 * something when a project sets them, and then wait for `coi trust`: `approve` always, `only-true` and `only-false`
 * unless that value, `lower` and `shorter` above the user's value, and those that trust.ts judges by their meaning.
 */
export type Trust =
  | 'any'
  | 'user'
  | 'approve'
  | 'only-true'
  | 'only-false'
  | 'lower'
  | 'network-mode'
  | 'domains'
  | 'permission'
  | 'mounts'
  | 'inside'
  | 'environment'
  | 'protection';

export interface Key<T> {
  readonly type: ValueType<Exclude<T, undefined>>;
  readonly fallback: T;
  readonly merge: Merge;
  readonly trust: Trust;
  readonly doc: string;
}

type More = { trust?: Trust; merge?: Merge };

/** A key that has a default. */
function key<T>(type: ValueType<T>, fallback: T, doc: string, more: More = {}): Key<T> {
  const merge =
    more.merge ??
    (typeof fallback === 'string' || typeof fallback === 'number' ? 'nonzero' : 'replace');
  return { type, fallback, merge, trust: more.trust ?? 'any', doc } as Key<T>;
}

/** A key that may stay unset. */
function unset<T>(type: ValueType<T>, doc: string, more: More = {}): Key<T | undefined> {
  return {
    type,
    fallback: undefined,
    merge: more.merge ?? 'nonzero',
    trust: more.trust ?? 'any',
    doc,
  } as Key<T | undefined>;
}

/** Stands for the host of the npm registry, which npm's own configuration names (npm-registry.ts). */
export const npmRegistryEntry = '@npm-registry';

const variable = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
const variables = named(text(), variable, 'name for a variable');
const variableName = text(variable, 'the name of a variable');
const anyName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const toolChars = text(/^[A-Za-z0-9._/+-]+$/, 'a program name of letters, digits and . _ / + -');
const memory = text(/^\d+(%|[KMGT]i?B)$/, 'a size such as "512MiB" or "50%"');
const rate = text(/^(\d+([KMGT]i?B)?(\/s)?|\d+iops)$/, 'a rate such as "10MiB" or "1000iops"');
const address = text(/^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/, 'an IP address');
const port = integer(1, 65_535);
const mount = table(
  {
    host: required(path('workspace')),
    container: required(guestPath),
    readonly: withDefault(flag, false),
    shift: optional(flag),
  },
  { open: true },
);
const socket = table({
  host: required(path('workspace')),
  container: required(guestPath),
  env: optional(variableName),
});
const portMap = table({
  name: required(text(anyName, 'a short name')),
  container: required(port),
  host: withDefault(integer(0, 65_535), 0),
  listen: withDefault(address, '127.0.0.1'),
});
const credential = table({
  bundle: optional(text()),
  host: optional(path('workspace')),
  container: optional(guestPath),
  mode: optional(text(/^0?[0-7]{3}$/, 'an octal mode such as "0600"')),
});
const host = table({
  ip: required(address),
  hostnames: required(list(text())),
  ports: withDefault(list(port), []),
});
const prompt = either(
  mapped(table({ file: required(path()) }), (given) => given as { readonly file: string } | string),
  mapped(text(), (given) => given as { readonly file: string } | string),
);
const names = list(text());

export const keys = {
  'container.image': key(
    text(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, 'the name of an image'),
    'coi-default',
    'Image that sessions start from.',
  ),
  'container.persistent': unset(flag, 'Keep the container when its session has stopped.', {
    merge: 'replace',
  }),
  'container.storage_pool': unset(text(), 'Incus storage pool of new containers.', {
    trust: 'approve',
  }),
  'container.alias': unset(
    text(
      /^[A-Za-z][A-Za-z0-9_-]{0,63}$/,
      'an alias: a letter, then letters, digits, _ or -, at most 64',
    ),
    'Short name of the workspace for commands in any directory.',
  ),
  'container.shutdown_timeout': key(
    integer(0),
    60,
    'Seconds until a graceful stop becomes a forced one.',
  ),
  'container.ready_timeout': key(integer(0), 30, 'Seconds that a container may take to start.'),
  'container.stale_base_check': key(
    choice('error', 'warn', 'off'),
    'warn',
    'What to do when an image was built from an older base.',
  ),
  'container.session_name': unset(
    text(anyName, 'a name of letters, digits, . _ and -, at most 64'),
    'Names the session instead of the path of its workspace.',
    { trust: 'user' },
  ),
  'container.docker': key(flag, true, 'Allow Docker inside.', { trust: 'only-false' }),
  'container.build.base': unset(text(), 'Image that the build starts from.'),
  'container.build.script': unset(path(), 'Script that the build runs as root.', {
    trust: 'inside',
  }),
  'container.build.commands': key(
    names,
    [],
    'Commands that the build runs as root where there is no script.',
  ),
  'container.build.compression': unset(
    text(/^[a-z0-9]+$/, 'a compression such as "zstd" or "none"'),
    'Compression of the built image.',
  ),
  'container.build.agents': key(
    list(text(anyName, 'the name of an agent')),
    ['claude', 'opencode', 'pi'],
    'Agents that the image contains.',
  ),
  'container.build.cloud_init': key(flag, false, 'Leave cloud-init in the image.'),

  'defaults.forward_env': key(
    list(variableName),
    [],
    'Names of variables that sessions get from the environment of coi.',
    { merge: 'union', trust: 'approve' },
  ),
  'defaults.environment': key(variables, {}, 'Variables that sessions get.', {
    merge: 'keywise',
    trust: 'environment',
  }),
  'defaults.env_commands': key(
    named(text(), variable, 'name for a variable'),
    {},
    'Variables that get the output of a command of the host.',
    { merge: 'keywise', trust: 'user' },
  ),
  'defaults.env_command_timeout': key(durationMs, 30_000, 'Limit of each of those commands.', {
    trust: 'user',
  }),
  'defaults.profile': unset(
    text(anyName, 'the name of a profile'),
    'Profile that is used where none is named.',
    { trust: 'user' },
  ),
  'defaults.model': unset(text(), 'Model of the agent; [tool.NAME] model wins.'),

  'paths.sessions_dir': key(
    path(),
    '~/.coi/sessions',
    'Kept for old files; sessions are in ~/.coi/sessions-<tool>.',
    { trust: 'user' },
  ),
  'paths.storage_dir': key(path(), '~/.coi/storage', 'Kept for old files.', { trust: 'user' }),
  'paths.logs_dir': key(path(), '~/.coi/logs', 'Where logs are written.', { trust: 'user' }),
  'paths.preserve_workspace_path': key(
    flag,
    false,
    'Mount the workspace at its host path instead of /workspace.',
    { merge: 'on' },
  ),

  'incus.project': key(
    text(anyName, 'the name of a project'),
    'default',
    'Incus project of the containers.',
    { trust: 'user' },
  ),
  'incus.group': key(
    text(/^[a-z_][a-z0-9_-]{0,31}$/, 'the name of a group'),
    'incus-admin',
    'Group that may use Incus.',
    { trust: 'user' },
  ),
  'incus.code_uid': key(integer(0, 65_534), 1000, "uid of the agent's user in the image."),
  'incus.code_user': key(
    text(/^[a-z_][a-z0-9_-]{0,31}$/, 'the name of a user'),
    'code',
    "Name of the agent's user in the image.",
  ),
  'incus.disable_shift': key(flag, false, 'Without effect: ownership is decided at the mount.', {
    merge: 'on',
  }),

  'network.mode': key(
    choice('restricted', 'open', 'allowlist'),
    'restricted',
    'What sessions may reach.',
    { trust: 'network-mode' },
  ),
  'network.block_private_networks': key(flag, true, 'Refuse private networks in restricted mode.', {
    trust: 'only-true',
  }),
  'network.block_metadata_endpoint': key(flag, true, 'Refuse the metadata service of clouds.', {
    trust: 'only-true',
  }),
  'network.allowed_domains': key(
    names,
    [npmRegistryEntry, '*.pkg.github.com', 'api.anthropic.com', 'platform.claude.com'],
    'What allowlist mode lets through: host, *.host, IPv4 or CIDR, each with optional :ports.',
    { trust: 'domains' },
  ),
  'network.refresh_interval_minutes': key(
    integer(0),
    30,
    'Without effect: coid follows the names as they are asked for.',
    { merge: 'replace' },
  ),
  'network.allow_local_network_access': key(flag, false, 'Let sessions reach private networks.', {
    trust: 'only-false',
  }),
  'network.use_sudo': key(flag, true, 'Without effect: coid sets the rules.'),
  'network.dns_servers': key(list(address), [], 'Name servers that sessions may ask.', {
    trust: 'user',
  }),
  'network.allowed_ports': key(list(port), [], 'If any: the only ports that sessions may reach.', {
    trust: 'user',
  }),
  'network.hosts': key(list(host), [], 'Names with fixed addresses, reachable for sessions.', {
    merge: 'append',
    trust: 'user',
  }),
  'network.logging.enabled': key(flag, true, 'Log what was refused.', { trust: 'only-true' }),
  'network.logging.path': key(path(), '~/.coi/logs/network.log', 'Where that is logged.', {
    trust: 'user',
  }),

  'tool.name': key(text(/^[a-z][a-z0-9_-]{0,31}$/, 'the name of a tool'), 'claude', 'The agent.'),
  'tool.binary': unset(toolChars, "The agent's program, where it is not the usual one."),
  'tool.permission_mode': key(
    choice('bypass', 'interactive'),
    'bypass',
    'Whether the agent asks before it acts.',
    { trust: 'permission' },
  ),
  'tool.context_file': unset(
    path(),
    'Text that replaces what coi tells the agent about its surroundings.',
    { trust: 'user' },
  ),
  'tool.auto_context': key(flag, true, 'Tell the agent what surrounds it.'),
  'tool.context_json': key(flag, true, 'Tell it as JSON, too.'),
  'tool.context_json_file': unset(path(), 'File that replaces that JSON.', { trust: 'user' }),
  'tool.pre_launch': key(names, [], 'Commands in the container before the agent starts.', {
    trust: 'user',
  }),
  'tool.claude.effort_level': unset(
    choice('low', 'medium', 'high', 'xhigh', 'max', 'auto'),
    'How hard Claude thinks.',
  ),
  'tool.claude.model': unset(text(), 'Model of Claude.'),
  'tool.codex.model': unset(text(), 'Model of Codex.'),
  'tool.codex.reasoning_effort': unset(
    choice('minimal', 'low', 'medium', 'high'),
    'How hard Codex thinks.',
  ),
  tools: key(
    named(customTool, /^[a-z][a-z0-9_-]{0,31}$/, 'name for a tool'),
    {},
    'Agents of your own, by name.',
    { merge: 'keywise', trust: 'user' },
  ),
  'shell.use_tmux': key(flag, true, 'Run the agent in tmux, so that one can detach.'),

  'mounts.default': key(list(mount), [], 'Directories of the host that sessions get.', {
    merge: 'append',
    trust: 'mounts',
  }),
  sockets: key(list(socket), [], 'Unix sockets of the host that sessions get.', {
    merge: 'append',
    trust: 'approve',
  }),
  'ports.pool': key(
    integer(0, 10),
    0,
    'How many ports of the host are forwarded to each session.',
    { trust: 'approve' },
  ),
  'ports.map': key(list(portMap), [], 'Ports of the container that the host can reach.', {
    merge: 'by-name',
    trust: 'approve',
  }),
  credentials: key(list(credential), [], 'Login files that sessions get: a bundle, or a file.', {
    merge: 'append',
    trust: 'approve',
  }),

  'limits.cpu.count': unset(
    text(/^\d+(-\d+)?(,\d+(-\d+)?)*$/, 'a number or set of CPUs such as "2" or "0-3"'),
    'CPUs of a container.',
  ),
  'limits.cpu.allowance': unset(
    text(/^(\d+%|\d+ms\/\d+ms)$/, 'such as "50%" or "25ms/100ms"'),
    'Share of CPU time.',
  ),
  'limits.cpu.priority': key(integer(0, 10), 0, 'Priority for CPU time.'),
  'limits.memory.limit': unset(memory, 'Memory of a container.'),
  'limits.memory.enforce': key(
    choice('soft', 'hard'),
    'soft',
    'Whether the limit may be passed while memory is free.',
  ),
  'limits.memory.swap': key(
    text(/^(true|false|\d+(%|[KMGT]i?B))$/, '"true", "false" or a size'),
    'true',
    'Swap of a container.',
  ),
  'limits.disk.read': unset(rate, 'Rate of reading.'),
  'limits.disk.write': unset(rate, 'Rate of writing.'),
  'limits.disk.max': unset(rate, 'Rate of both.'),
  'limits.disk.priority': key(integer(0, 10), 0, 'Priority for disk access.'),
  'limits.disk.size': unset(memory, 'Size of the root file system.'),
  'limits.disk.tmpfs_size': unset(memory, 'Size of /tmp.'),
  'limits.runtime.max_duration': unset(durationMs, 'How long a session may run.'),
  'limits.runtime.max_processes': key(
    integer(0),
    0,
    'How many processes may be in it; 0 is no limit.',
  ),
  'limits.runtime.auto_stop': key(flag, true, 'Stop it when that time is over.'),
  'limits.runtime.stop_graceful': key(flag, true, 'Ask it to stop before it is forced.'),

  'git.writable_hooks': key(flag, false, 'Let the agent change .git/hooks.', { trust: 'user' }),
  'git.name': unset(text(), 'Name for commits.', { trust: 'user' }),
  'git.email': unset(text(), 'Address for commits.', { trust: 'user' }),
  'git.seed_host_identity': key(flag, true, 'Take name and address from the git of the host.', {
    trust: 'user',
  }),
  'git.readonly': key(flag, false, 'Do not let the agent change .git at all.', { trust: 'user' }),
  'git.strip_attribution': key(
    flag,
    true,
    'Take lines that advertise the agent out of commit messages.',
    { trust: 'user' },
  ),
  'git.strip_attribution_patterns': key(names, [], 'Further such lines, as regular expressions.', {
    trust: 'user',
  }),
  'git.protected_branches': key(
    names,
    ['main', 'master'],
    'Branches that the agent may not push to; none with [].',
    { trust: 'user' },
  ),
  'ssh.forward_agent': key(flag, false, "Let sessions use the host's SSH agent.", {
    trust: 'only-false',
  }),

  'security.protected_paths': key(
    names,
    [
      '.git/hooks',
      '.git/config',
      '.husky',
      '.vscode',
      '.git/config.worktree',
      '.git/info/attributes',
      '.coi',
      '.claude/settings.json',
      '.claude/settings.local.json',
      '.codex/config.toml',
      '.git/commondir',
    ],
    'Paths in the workspace that the agent cannot change.',
    { trust: 'user' },
  ),
  'security.additional_protected_paths': key(names, [], 'Further ones.', { merge: 'append' }),
  'security.disable_protection': key(flag, false, 'Protect nothing.', {
    merge: 'on',
    trust: 'user',
  }),
  'security.protection': key(
    choice('guard', 'watch'),
    'guard',
    'What to do where paths cannot be guarded: stop, or only watch them.',
    { trust: 'protection' },
  ),
  'security.host_immutable': key(
    flag,
    true,
    'Superseded: paths are guarded by ids (docs/decisions).',
    { trust: 'user' },
  ),
  'security.writable_paths': key(names, [], 'Protected paths that the agent may change.', {
    trust: 'user',
  }),
  'security.secret_paths': key(names, [], 'Globs of files that are empty inside.', {
    merge: 'union',
  }),
  'security.reduce_kernel_surface': key(
    flag,
    false,
    'Refuse system calls that agents do not need.',
    { trust: 'user' },
  ),
  'security.reduce_kernel_surface_strict': key(flag, false, 'Refuse more of them.', {
    trust: 'user',
  }),

  'monitoring.enabled': key(flag, false, 'Watch what sessions do.', { trust: 'only-true' }),
  'monitoring.auto_pause_on_high': key(flag, true, 'Pause a session at level high.', {
    trust: 'only-true',
  }),
  'monitoring.auto_kill_on_critical': key(flag, true, 'Kill a session at level critical.', {
    trust: 'only-true',
  }),
  'monitoring.poll_interval_sec': key(integer(0), 2, 'Seconds between samples.', {
    trust: 'lower',
  }),
  'monitoring.file_read_threshold_mb': key(
    decimal(0),
    50,
    'MB read from the workspace that count as bulk reading.',
    { trust: 'lower' },
  ),
  'monitoring.file_read_rate_mb_per_sec': key(
    decimal(0),
    10,
    'MB per second that count as bulk reading.',
    { trust: 'lower' },
  ),
  'monitoring.audit_log_retention_days': key(integer(0), 30, 'Days that the audit log is kept.', {
    trust: 'user',
  }),
  'monitoring.process_count_threshold': unset(integer(0), 'Processes that count as too many.', {
    trust: 'user',
  }),
  'monitoring.process_spawn_rate_threshold': unset(
    decimal(0),
    'New processes per second that count as too many.',
    { trust: 'user' },
  ),
  'monitoring.forensics_on_kill': key(flag, false, 'Copy evidence before a kill.', {
    trust: 'only-true',
  }),
  'monitoring.reverse_shell_one_liners': key(
    choice('critical', 'warn', 'off'),
    'critical',
    'What a command line that looks like a reverse shell counts as.',
    { trust: 'user' },
  ),
  'monitoring.bait': key(flag, false, "Put decoy credentials into the guest's home.", {
    trust: 'only-true',
  }),
  'monitoring.nft.enabled': key(flag, false, 'Count connections as well.', { trust: 'only-true' }),
  'monitoring.nft.rate_limit_per_second': key(
    integer(0),
    100,
    'Connections per second that are logged.',
    { trust: 'user' },
  ),
  'monitoring.nft.dns_query_threshold': key(
    integer(0),
    100,
    'Questions per minute that count as a tunnel.',
    { trust: 'lower' },
  ),
  'monitoring.nft.log_dns_queries': key(flag, true, 'Log questions for names.', {
    trust: 'only-true',
  }),
  'monitoring.nft.lima_host': unset(text(), 'Kept for old files.', { trust: 'user' }),

  'timezone.mode': key(choice('host', 'fixed', 'utc'), 'host', 'Time zone of sessions.'),
  'timezone.name': unset(
    text(/^[A-Za-z0-9][A-Za-z0-9_+/-]{0,63}$/, 'a time zone such as "Europe/Berlin"'),
    'The zone where the mode is fixed.',
  ),
  'detection.gtfobins_source': unset(text(), 'Kept for old files.', { trust: 'user' }),
  'detection.gtfobins_dir': unset(path(), 'Kept for old files.', { trust: 'user' }),
  'detection.sigma_source': unset(text(), 'Kept for old files.', { trust: 'user' }),
  'detection.sigma_dir': unset(path(), 'Kept for old files.', { trust: 'user' }),
  'notify.command': key(
    names,
    [],
    'Program and arguments that are run on the host when a session is paused or killed.',
    { trust: 'user' },
  ),
  prompts: key(
    named(prompt, anyName, 'name for a prompt'),
    {},
    'Prompts for `coi run --prompt-name`.',
    { merge: 'keywise', trust: 'user' },
  ),
} as const satisfies Record<string, Key<never> | Key<unknown>>;

export type KeyName = keyof typeof keys;

/** What is in force: one value for each key. */
export type Settings = {
  readonly [K in KeyName]: (typeof keys)[K] extends Key<infer T> ? T : never;
};

/** What one layer says. */
export type PartialSettings = { readonly [K in KeyName]?: Settings[K] };

export const keyNames = Object.keys(keys) as readonly KeyName[];

/** The table as its users see it when they go through all keys. */
export function keyOf(name: KeyName): Key<unknown> {
  return keys[name] as Key<unknown>;
}
