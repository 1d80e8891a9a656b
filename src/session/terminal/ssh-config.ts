// What ssh is told about a session: its Host block, the file of all blocks, its key, and what the user's own
// configuration adds to that. What runs in a session is hostile, its ssh server included, so nothing of the host is
// lent to it. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { shellWord } from '../../shell-quoting.ts';

/** Below the home. */
export const sshPlace = '.coi/ssh';
export const sshFiles = { key: 'id_ed25519', knownHosts: 'known_hosts', config: 'config' } as const;
export const includeLine = `Include ~/${sshPlace}/${sshFiles.config}`;

export interface SshHost {
  /** What is typed after `ssh`. */
  readonly names: readonly string[];
  readonly session: string;
  /** The program that joins ssh to the session, and its arguments. */
  readonly proxy: readonly string[];
  readonly home: string;
}

/** The container's name, and one with the alias; slots beyond the first have their number. */
export function hostNames(
  container: string,
  { alias, slot }: { readonly alias: string | undefined; readonly slot: number },
  prefix: string,
): string[] {
  if (alias === undefined) return [container];
  return [`${prefix}${alias}${slot === 1 ? '' : `-${slot}`}`, container];
}

const blockMark = '# coi session ';

/** In order: for ssh, the first value of an option counts. */
export function hostBlock({ names, session, proxy, home }: SshHost): string {
  const place = (file: string) => quotedPath(`${home}/${sshPlace}/${file}`);
  const options = [
    'User code',
    `ProxyCommand ${proxy.map(shellWord).join(' ').replaceAll('%', '%%')}`,
    'ProxyUseFdpass no',
    `HostKeyAlias ${keyName(session)}`,
    'HostKeyAlgorithms ssh-ed25519',
    `UserKnownHostsFile ${place(sshFiles.knownHosts)}`,
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    'UpdateHostKeys no',
    'CheckHostIP no',
    'VerifyHostKeyDNS no',
    'CanonicalizeHostname no',
    `IdentityFile ${place(sshFiles.key)}`,
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

/** A line of known_hosts for each session. */
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
 * The file with the block in it. Blocks of sessions that are gone are left out, and that of an earlier session in a
 * container of the same name, which is one of the same workspace and slot. Throws `failed` where another session's block
 * has one of the names: a project says its alias itself, and `ssh NAME` would lead to another session than before.
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
        `ssh's host ${quoted(taken)} is another session already: that of container ${names.at(-1)}`,
        { hint: `Give this one another alias, or take that block out of ~/${sshPlace}/config.` },
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

/** ~/.ssh/config with the line at its top, where it holds for all; undefined if it is there. */
export function withInclude(before: string | undefined): string | undefined {
  const lines = (before ?? '').split('\n').map((line) => line.trim());
  const first = lines.findIndex((line) => /^(?:Host|Match)\s/i.test(line));
  const above = first < 0 ? lines : lines.slice(0, first);
  const isOurs = (line: string) =>
    /^Include[\s=]/i.test(line) && line.includes(`${sshPlace}/${sshFiles.config}`);
  if (above.some(isOurs)) return undefined;
  return `# Sessions of coi, as \`coi ssh-config --write\` keeps them\n${includeLine}\n\n${before ?? ''}`;
}

/** What `ssh -G` has to say of a host, and what it says on Debian besides. */
const expected: readonly (readonly [key: string, value: string])[] = [
  ['user', 'code'],
  ['stricthostkeychecking', 'true'],
  ['identitiesonly', 'yes'],
  ['forwardagent', 'no'],
  ['forwardx11', 'no'],
  ['permitlocalcommand', 'no'],
  ['updatehostkeys', 'false'],
  ['tunnel', 'false'],
];
const usualVariables = /^(?:LANG|LC_\*|LC_[A-Z]+|COLORTERM|NO_COLOR)$/;

/** What is not as the block says, or is added to it by the rest of the user's configuration; one sentence each. */
export function sshFindings(said: string, session: string): string[] {
  const lines = said.split('\n').map((line): readonly [string, string] => {
    const at = line.indexOf(' ');
    return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
  });
  const first = (name: string) => lines.find(([key]) => key === name)?.[1] ?? '';
  if (first('hostkeyalias') !== keyName(session)) return ['does not reach the block of coi'];
  const changed = expected.flatMap(([key, value]) =>
    first(key) === value ? [] : [`sets ${key} to ${quoted(first(key))} before coi's block`],
  );
  const added = lines.flatMap(([key, value]) => {
    if (key === 'remoteforward')
      return [`adds RemoteForward ${quoted(value)}: what runs in the session could use that port`];
    if (key === 'sendenv' && !usualVariables.test(value))
      return [`adds SendEnv ${quoted(value)}: those variables would go into the session`];
    if (key === 'identityfile' && !value.endsWith(`/${sshPlace}/${sshFiles.key}`))
      return [`adds IdentityFile ${quoted(value)}: its public part is shown to the session`];
    return [];
  });
  return [...changed, ...added];
}

/** A path as an argument of ssh's configuration, which expands percent signs. */
function quotedPath(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}
