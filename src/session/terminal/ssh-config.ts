// SSH configuration of a session: its Host block, the file with all blocks, its key, and a check of what the user's own
// configuration adds. Everything in a session is hostile, also its SSH server, so nothing of the host is forwarded. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { shellQuoteIfNeeded } from '../../shell-quoting.ts';

/** Below the home. */
export const sshDirectory = '.coi/ssh';
export const sshFiles = { key: 'id_ed25519', knownHosts: 'known_hosts', config: 'config' } as const;
export const includeLine = `Include ~/${sshDirectory}/${sshFiles.config}`;

export interface SshHost {
  /** Names for `ssh NAME`. */
  readonly names: readonly string[];
  readonly session: string;
  /** The ProxyCommand that connects ssh to the session. */
  readonly proxy: readonly string[];
  readonly home: string;
}

/** The container's name, and a name from the alias, with the slot number for slots above 1. */
export function hostNames(
  container: string,
  { alias, slot }: { readonly alias: string | undefined; readonly slot: number },
  prefix: string,
): string[] {
  if (alias === undefined) return [container];
  return [`${prefix}${alias}${slot === 1 ? '' : `-${slot}`}`, container];
}

const blockMark = '# coi session ';

/** Order matters: ssh uses the first value of an option. */
export function hostBlock({ names, session, proxy, home }: SshHost): string {
  const sshPath = (file: string) => quotedPath(`${home}/${sshDirectory}/${file}`);
  const options = [
    'User code',
    `ProxyCommand ${proxy.map(shellQuoteIfNeeded).join(' ').replaceAll('%', '%%')}`,
    'ProxyUseFdpass no',
    `HostKeyAlias ${keyName(session)}`,
    'HostKeyAlgorithms ssh-ed25519',
    `UserKnownHostsFile ${sshPath(sshFiles.knownHosts)}`,
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    'UpdateHostKeys no',
    'CheckHostIP no',
    'VerifyHostKeyDNS no',
    'CanonicalizeHostname no',
    `IdentityFile ${sshPath(sshFiles.key)}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    'AddKeysToAgent no',
    'PreferredAuthentications publickey',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'ForwardAgent no',
    'ForwardX11 no',
    'ForwardX11Trusted no',
    'GatewayPorts no',
    'Tunnel no',
    'PermitLocalCommand no',
    'RemoteCommand none',
    'ControlMaster no',
    'ControlPath none',
  ];
  return [
    `${blockMark}${session}`,
    `Host ${names.join(' ')}`,
    ...options.map((line) => `  ${line}`),
  ]
    .join('\n')
    .concat('\n');
}

/** One line of known_hosts per session. */
export function knownHosts(
  sessions: ReadonlySet<string>,
  keyOf: (session: string) => string,
): string {
  return [...sessions].map((session) => `${keyName(session)} ${keyOf(session)}\n`).join('');
}

function keyName(session: string): string {
  return `coi-session-${session}`;
}

const fileHead = '# Written by `coi ssh-config --write`: sessions as hosts of ssh.\n\n';

/**
 * Adds the block to the file. Blocks of removed sessions are dropped, and so is that of an earlier session in a container
 * with the same name (same workspace and slot). Throws `failed` if another session's block has one of the names: a
 * project chooses its own alias, and `ssh NAME` would suddenly reach a different session.
 */
export function withBlock(before: string, host: SshHost, sessions: ReadonlySet<string>): string {
  const kept = blocks(before).filter(
    ({ session, names }) =>
      sessions.has(session) && session !== host.session && names.at(-1) !== host.names.at(-1),
  );
  for (const { names } of kept) {
    const taken = names.find((name) => host.names.includes(name));
    if (taken !== undefined)
      throw new CoiError(
        'failed',
        `the ssh host ${quoted(taken)} already belongs to the session in container ${names.at(-1)}`,
        { hint: `Choose another alias, or remove that block from ~/${sshDirectory}/config.` },
      );
  }
  return fileHead + [...kept.map(({ text }) => text), hostBlock(host)].join('\n');
}

function blocks(
  text: string,
): { readonly session: string; readonly names: readonly string[]; readonly text: string }[] {
  return text.split(new RegExp(`^(?=${blockMark})`, 'm')).flatMap((block) => {
    const session = block.startsWith(blockMark) ? block.slice(blockMark.length).split('\n')[0] : '';
    const names = /^Host (.*)$/m.exec(block)?.[1]?.split(' ') ?? [];
    return session ? [{ session, names, text: `${block.trimEnd()}\n` }] : [];
  });
}

/** ~/.ssh/config with the Include line at the top, outside of any Host block; undefined if it is already there. */
export function withInclude(before: string | undefined): string | undefined {
  const lines = (before ?? '').split('\n').map((line) => line.trim());
  const first = lines.findIndex((line) => /^(?:Host|Match)\s/i.test(line));
  const above = first < 0 ? lines : lines.slice(0, first);
  const isOurs = (line: string) =>
    /^Include[\s=]/i.test(line) && line.includes(`${sshDirectory}/${sshFiles.config}`);
  if (above.some(isOurs)) return undefined;
  return `# Sessions of coi, maintained by \`coi ssh-config --write\`\n${includeLine}\n\n${before ?? ''}`;
}

/** Expected values in the output of `ssh -G`. */
const expectedOptions: readonly (readonly [key: string, value: string])[] = [
  ['user', 'code'],
  ['stricthostkeychecking', 'true'],
  ['identitiesonly', 'yes'],
  ['forwardagent', 'no'],
  ['forwardx11', 'no'],
  ['permitlocalcommand', 'no'],
  ['updatehostkeys', 'false'],
  ['tunnel', 'false'],
];
/** Sent by default on Debian. */
const defaultVariables = /^(?:LANG|LC_\*|LC_[A-Z]+|COLORTERM|NO_COLOR)$/;

/** Differences from the block, and additions from the rest of the user's configuration; one sentence each. */
export function sshFindings(output: string, session: string): string[] {
  const lines = output.split('\n').map((line): readonly [string, string] => {
    const at = line.indexOf(' ');
    return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
  });
  const first = (name: string) => lines.find(([key]) => key === name)?.[1] ?? '';
  if (first('hostkeyalias') !== keyName(session)) return ['does not reach the block of coi'];
  const changed = expectedOptions.flatMap(([key, value]) =>
    first(key) === value ? [] : [`sets ${key} to ${quoted(first(key))} before coi's block`],
  );
  const added = lines.flatMap(([key, value]) => {
    if (key === 'remoteforward')
      return [`adds RemoteForward ${quoted(value)}: programs in the session could use that port`];
    if (key === 'sendenv' && !defaultVariables.test(value))
      return [`adds SendEnv ${quoted(value)}: those variables would be sent to the session`];
    if (key === 'identityfile' && !value.endsWith(`/${sshDirectory}/${sshFiles.key}`))
      return [`adds IdentityFile ${quoted(value)}: its public key is shown to the session`];
    return [];
  });
  return [...changed, ...added];
}

/** A path for ssh's configuration, where percent signs are expanded. */
function quotedPath(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}
