// Commit signing in the container: with a key of the forwarded SSH agent, or not at all. Pure.
import type { GitValues } from './host-git.ts';

export interface SigningFacts {
  readonly git: GitValues;
  /** Public keys of the forwarded SSH agent, as `type base64`, or why there are none. */
  readonly agent: readonly string[] | 'off' | 'missing';
  /** The content of the file in `user.signingkey`; undefined if it cannot be read. */
  readonly keyFile: (path: string) => string | undefined;
}

export interface Signing {
  /** Git configuration for the container. */
  readonly config: readonly (readonly [key: string, value: string])[];
  /** Why commits are not signed although the user's git would sign them. */
  readonly problem?: string | undefined;
}

/** Keys that make git sign by default. */
const signingKeys = ['commit.gpgsign', 'tag.gpgsign', 'tag.forcesignannotated', 'push.gpgsign'];

const off = (key: string) => [key, 'false'] as const;
const isTrue = (text: string | undefined) => /^(true|yes|on|[1-9]\d*)$/i.test(text ?? '');

export function planSigning({ git, agent, keyFile }: SigningFacts): Signing {
  const value = (key: string) => git.get(key)?.value;
  const signed = signingKeys.filter((key) => isTrue(value(key)));
  const format = value('gpg.format') ?? 'openpgp';
  const wanted = signed.length > 0;
  const refused = (why: string): Signing =>
    wanted
      ? {
          // Overrides the repository's configuration too: a commit that cannot be signed would fail.
          config: [
            ['commit.gpgsign', 'false'],
            ['tag.gpgsign', 'false'],
            ...signed.filter((key) => !/^(?:commit|tag)\.gpgsign$/.test(key)).map(off),
          ],
          problem: `Commits in the session are not signed: ${why}`,
        }
      : { config: [] };
  if (format !== 'ssh') return refused('GPG keys stay on this host');
  if (agent === 'off') return refused('[ssh] forward_agent is off');
  if (agent === 'missing') return refused('no SSH agent is running');
  const key = publicKey(value('user.signingkey'), keyFile) ?? firstKey(value, agent);
  if (key === undefined) return refused("git's user.signingkey is not a public key");
  if (!agent.includes(key)) return refused('the SSH agent does not have the signing key (ssh-add)');
  return {
    config: [
      ['gpg.format', 'ssh'],
      ['gpg.ssh.program', 'ssh-keygen'],
      ['user.signingkey', `key::${key}`],
      ...signed.map((name) => [name, 'true'] as const),
    ],
  };
}

/** As git accepts it: the key itself, or a file with it, also with `.pub` appended. Other file content is not used. */
function publicKey(
  signingKey: string | undefined,
  keyFile: SigningFacts['keyFile'],
): string | undefined {
  if (!signingKey) return undefined;
  const literal = keyIn(signingKey.replace(/^key::/, ''));
  if (literal !== undefined) return literal;
  for (const path of [signingKey, `${signingKey}.pub`]) {
    const key = keyIn(keyFile(path) ?? '');
    if (key !== undefined) return key;
  }
  return undefined;
}

/** The usual setting for "the first key of the SSH agent". Other commands are not run. */
function firstKey(
  value: (key: string) => string | undefined,
  agent: readonly string[],
): string | undefined {
  return value('gpg.ssh.defaultkeycommand')?.trim() === 'ssh-add -L' ? agent[0] : undefined;
}

function keyIn(text: string): string | undefined {
  const [, key] = /^((?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,3})(?:\s|$)/.exec(text) ?? [];
  return key;
}
