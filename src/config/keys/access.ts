// Keys for what a session can reach: network, mounts, sockets, ports, credentials, git.
import { list, optional, required, table, withDefault } from './compound.ts';
import { anyName, socketAt, variableName } from './forms.ts';
import { key, optionalKey } from './key.ts';
import { choice, flag, guestPath, integer, nonEmpty, path, text } from './values.ts';

/** A placeholder for the npm registry's host, taken from npm's configuration (host/net/npm-registry.ts). */
export const npmRegistryEntry = '@npm-registry';

const address = text(/^(\d{1,3}(\.\d{1,3}){3}|[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)$/, 'an IP address');
const port = integer(1, 65_535);
const mount = table(
  {
    host: required(nonEmpty(path('workspace'))),
    container: required(guestPath),
    readonly: withDefault(flag, false),
    shift: optional(flag),
  },
  { open: true },
);
const socket = table({
  host: required(socketAt(nonEmpty(path('workspace')))),
  container: required(socketAt(guestPath)),
  env: optional(variableName),
});
const portMap = table({
  name: required(nonEmpty(text(anyName, 'a short name'))),
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
  ip: required(nonEmpty(address)),
  hostnames: required(list(text())),
  ports: withDefault(list(port), []),
});
const names = list(nonEmpty(text()));

export const accessKeys = {
  'network.mode': key(
    choice('restricted', 'open', 'allowlist'),
    'restricted',
    'Network access of sessions.',
    { trust: { loosestFirst: ['open', 'restricted', 'allowlist'] } },
  ),
  'network.block_private_networks': key(flag, true, 'Block private networks in restricted mode.', {
    trust: 'only-true',
  }),
  'network.block_metadata_endpoint': key(flag, true, 'Block cloud metadata services.', {
    trust: 'only-true',
  }),
  'network.allowed_domains': key(
    names,
    [npmRegistryEntry, '*.pkg.github.com', 'api.anthropic.com', 'platform.claude.com'],
    'Destinations that allowlist mode permits: host, *.host, IPv4 or CIDR, each with optional :ports.',
    { trust: 'domains' },
  ),
  'network.refresh_interval_minutes': key(
    integer(0),
    30,
    'Without effect: coid updates addresses with every DNS query.',
    { merge: 'replace', trust: 'harmless', effect: 'none' },
  ),
  'network.allow_local_network_access': key(flag, false, 'Let sessions reach private networks.', {
    trust: 'only-false',
  }),
  'network.use_sudo': key(flag, true, 'Without effect: coid sets the firewall rules.', {
    trust: 'harmless',
    effect: 'none',
  }),
  'network.dns_servers': key(list(nonEmpty(address)), [], 'DNS servers that sessions may use.', {
    trust: 'user',
  }),
  'network.allowed_ports': key(
    list(port),
    [],
    'If not empty, the only ports that sessions may reach.',
    {
      trust: 'user',
    },
  ),
  'network.hosts': key(list(host), [], 'Host names with fixed addresses that sessions may reach.', {
    merge: 'append',
    trust: 'user',
  }),
  'network.logging.enabled': key(
    flag,
    true,
    'Without effect: refused connections are always logged for a while; see `coi network log`.',
    { trust: 'only-true', effect: 'none' },
  ),
  'network.logging.path': key(
    path(),
    '~/.coi/logs/network.log',
    'Without effect: see `coi network log`.',
    {
      trust: 'user',
      effect: 'none',
    },
  ),
  'mounts.default': key(list(mount), [], 'Host directories to mount in sessions.', {
    merge: 'append',
    trust: 'mounts',
  }),
  sockets: key(
    list(socket),
    [],
    'Host services that sessions can use: Unix sockets, or loopback ports (tcp:PORT).',
    {
      merge: 'append',
      trust: 'approve',
    },
  ),
  'ports.pool': key(integer(0, 10), 0, 'Number of host ports that are forwarded to each session.', {
    trust: 'approve',
  }),
  'ports.map': key(list(portMap), [], 'Container ports that are forwarded from the host.', {
    merge: 'by-name',
    trust: 'approve',
  }),
  credentials: key(
    list(credential),
    [],
    'Credential files to copy into sessions: a bundle, or a file.',
    {
      merge: 'append',
      trust: 'approve',
    },
  ),
  'git.writable_hooks': key(flag, false, 'Allow the agent to change .git/hooks.', {
    trust: 'user',
  }),
  'git.name': optionalKey(text(), 'Author name for commits.', { trust: 'user' }),
  'git.email': optionalKey(text(), 'Author email for commits.', { trust: 'user' }),
  'git.seed_host_identity': key(
    flag,
    true,
    "Use author name, email and signing from the host's git configuration.",
    {
      trust: 'user',
    },
  ),
  'git.readonly': key(flag, false, 'Make .git read-only for the agent.', { trust: 'user' }),
  'git.strip_attribution': key(
    flag,
    true,
    'Keep Claude from adding attribution lines to commit messages.',
    { trust: 'user' },
  ),
  'git.strip_attribution_patterns': key(
    names,
    [],
    'Without effect: git.strip_attribution disables attribution lines in Claude itself.',
    {
      trust: 'user',
      effect: 'none',
    },
  ),
  'git.protected_branches': key(
    names,
    ['main', 'master'],
    'Without effect: use credentials that cannot push to these branches.',
    { trust: 'user', effect: 'none' },
  ),
  'ssh.forward_agent': key(flag, false, "Let sessions use the host's SSH agent.", {
    trust: 'only-false',
  }),
} as const;
