// Keys of what a session can reach: network, mounts, sockets, ports, logins, git.
import { list, optional, required, table, withDefault } from './compound.ts';
import { anyName, socketAt, variableName } from './forms.ts';
import { key, unset } from './key.ts';
import { choice, filled, flag, guestPath, integer, path, text } from './values.ts';

/** Stands for the host of the npm registry, which npm's own configuration names (host/net/npm-registry.ts). */
export const npmRegistryEntry = '@npm-registry';

const address = text(/^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/, 'an IP address');
const port = integer(1, 65_535);
const mount = table(
  {
    host: required(filled(path('workspace'))),
    container: required(guestPath),
    readonly: withDefault(flag, false),
    shift: optional(flag),
  },
  { open: true },
);
const socket = table({
  host: required(socketAt(filled(path('workspace')))),
  container: required(socketAt(guestPath)),
  env: optional(variableName),
});
const portMap = table({
  name: required(filled(text(anyName, 'a short name'))),
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
  ip: required(filled(address)),
  hostnames: required(list(text())),
  ports: withDefault(list(port), []),
});
const names = list(filled(text()));

export const reachKeys = {
  'network.mode': key(
    choice('restricted', 'open', 'allowlist'),
    'restricted',
    'What sessions may reach.',
    { trust: { loosestFirst: ['open', 'restricted', 'allowlist'] } },
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
    { merge: 'replace', trust: 'harmless', effect: 'none' },
  ),
  'network.allow_local_network_access': key(flag, false, 'Let sessions reach private networks.', {
    trust: 'only-false',
  }),
  'network.use_sudo': key(flag, true, 'Without effect: coid sets the rules.', {
    trust: 'harmless',
    effect: 'none',
  }),
  'network.dns_servers': key(list(filled(address)), [], 'Name servers that sessions may ask.', {
    trust: 'user',
  }),
  'network.allowed_ports': key(list(port), [], 'If any: the only ports that sessions may reach.', {
    trust: 'user',
  }),
  'network.hosts': key(list(host), [], 'Names with fixed addresses, reachable for sessions.', {
    merge: 'append',
    trust: 'user',
  }),
  'network.logging.enabled': key(
    flag,
    true,
    'Without effect: what was refused is always kept for a while, see coi network log.',
    { trust: 'only-true', effect: 'none' },
  ),
  'network.logging.path': key(
    path(),
    '~/.coi/logs/network.log',
    'Without effect, as network.logging.enabled.',
    {
      trust: 'user',
      effect: 'none',
    },
  ),
  'mounts.default': key(list(mount), [], 'Directories of the host that sessions get.', {
    merge: 'append',
    trust: 'mounts',
  }),
  sockets: key(
    list(socket),
    [],
    'Services of the host that sessions get: unix sockets, or ports of its loopback (tcp:PORT).',
    {
      merge: 'append',
      trust: 'approve',
    },
  ),
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
  'git.writable_hooks': key(flag, false, 'Let the agent change .git/hooks.', { trust: 'user' }),
  'git.name': unset(text(), 'Name for commits.', { trust: 'user' }),
  'git.email': unset(text(), 'Address for commits.', { trust: 'user' }),
  'git.seed_host_identity': key(
    flag,
    true,
    'Take name, address and signing from the git of the host.',
    {
      trust: 'user',
    },
  ),
  'git.readonly': key(flag, false, 'Do not let the agent change .git at all.', { trust: 'user' }),
  'git.strip_attribution': key(
    flag,
    true,
    'Let Claude write no lines into commit messages that advertise it.',
    { trust: 'user' },
  ),
  'git.strip_attribution_patterns': key(names, [], 'Without effect, as git.strip_attribution.', {
    trust: 'user',
    effect: 'none',
  }),
  'git.protected_branches': key(
    names,
    ['main', 'master'],
    'Without effect: a key that may not push to a branch is what holds.',
    { trust: 'user', effect: 'none' },
  ),
  'ssh.forward_agent': key(flag, false, "Let sessions use the host's SSH agent.", {
    trust: 'only-false',
  }),
} as const;
