// The text that tells the agent about its environment, and its block in the agent's instruction file. Pure.
import type { NetworkMode } from '../coid-api/network-protocol.ts';
import { npmRegistryEntry } from '../config/keys/access.ts';

export interface AgentContext {
  readonly tool: string;
  /** Paths in the container. */
  readonly workspace: string;
  /** Whether the workspace has the same path on the host. */
  readonly samePath: boolean;
  readonly home: string;
  readonly persistent: boolean;
  readonly permissionMode: 'bypass' | 'interactive';
  readonly network: NetworkMode;
  /** Allowlist entries, in allowlist mode. */
  readonly allowed: readonly string[];
  readonly protectedPaths: readonly string[];
  /** Globs of paths that are empty in the container. */
  readonly hiddenPaths: readonly string[];
  /** Names, never values. */
  readonly variables: readonly string[];
  readonly mounts: readonly { readonly container: string; readonly readonly: boolean }[];
  readonly docker: boolean;
  readonly sshAgent: boolean;
  readonly timezone?: string | undefined;
  readonly limits?: readonly string[];
  /** Text of the profile. */
  readonly profileText?: string | undefined;
}

const begin = '<!-- BEGIN COI SANDBOX CONTEXT -->';
const end = '<!-- END COI SANDBOX CONTEXT -->';

/** A short text in Markdown. */
export function contextText(facts: AgentContext): string {
  const lines = [
    '# Where you are',
    '',
    'You work in a Linux container (Incus, systemd) that `coi` created for this session. It is isolated from the host.',
    '',
    `- Workspace: \`${facts.workspace}\`, the user's project on the host: the user sees changes there at once.`,
    `- ${facts.persistent ? 'The container is kept when it stops' : 'The container is deleted when it stops'}; the workspace and this conversation are always kept. Nothing else in \`${facts.home}\` ${facts.persistent ? 'is backed up' : 'outlives the session'}.`,
    `- You are user \`code\` with \`sudo\` without a password.${facts.docker ? ' Docker and `docker compose` work.' : ' Docker is disabled.'}`,
    `- Network: ${networkText(facts)}`,
  ];
  if (facts.protectedPaths.length > 0)
    lines.push(
      `- Protected in the workspace, changes are refused: ${codeList(facts.protectedPaths)}.`,
    );
  lines.push(...gitText(facts));
  if (!facts.samePath)
    lines.push(
      "- Git worktrees that you make here do not work on the host, where the workspace has another path. Commit in them: the branch is in the user's repository at once.",
    );
  if (facts.hiddenPaths.length > 0)
    lines.push(`- Hidden by the user, empty here: ${codeList(facts.hiddenPaths)}.`);
  for (const mount of facts.mounts)
    lines.push(`- Also mounted: \`${mount.container}\`${mount.readonly ? ' (read-only)' : ''}.`);
  if (facts.variables.length > 0)
    lines.push(
      `- Variables given by the user: ${codeList(facts.variables)}.${gitHub(facts.variables)}`,
    );
  if (facts.sshAgent) lines.push("- The user's SSH agent is forwarded (`SSH_AUTH_SOCK`).");
  if (facts.timezone !== undefined) lines.push(`- Time zone: ${facts.timezone}.`);
  if (facts.limits && facts.limits.length > 0) lines.push(`- Limits: ${facts.limits.join(', ')}.`);
  lines.push(
    '- To end the session: `sudo poweroff`. Leaving with `exit` or Ctrl-b d keeps it running.',
  );
  if (facts.permissionMode === 'bypass')
    lines.push('- You need not ask before running commands or installing packages here.');
  if (facts.profileText)
    lines.push('', '## User-Provided Profile Context', '', facts.profileText.trim());
  return `${lines.join('\n')}\n`;
}

/** `own` with the block, which replaces an earlier one or is appended. */
export function withContext(own: string, text: string): string {
  const block = `${begin}\n${text.replaceAll(begin, '').replaceAll(end, '').trim()}\n${end}\n`;
  const rest = withoutContext(own).trimEnd();
  return rest === '' ? block : `${rest}\n\n${block}`;
}

/** `own` without blocks of coi; an unfinished block extends to the end. */
export function withoutContext(own: string): string {
  let rest = own;
  for (let from = rest.indexOf(begin); from !== -1; from = rest.indexOf(begin)) {
    const to = rest.indexOf(end, from);
    rest =
      rest.slice(0, from).trimEnd() +
      (to === -1 ? '' : `\n${rest.slice(to + end.length).trimStart()}`);
  }
  return rest;
}

function networkText(facts: AgentContext): string {
  switch (facts.network) {
    case 'open':
      return 'open.';
    case 'restricted':
      return 'the internet is reachable (IPv4); private networks, metadata services, the host and other containers are refused at once. The user can open a private address with `coi network allow ADDRESS` on the host.';
    case 'allowlist':
      return facts.allowed.length === 0
        ? 'nothing is reachable; every name is answered as unknown. If you need a host, ask the user to run `coi network allow HOST` on the host.'
        : `only ${allowedList(facts.allowed)} can be reached; every other name is answered as unknown and every other address is refused; \`dig TXT NAME\` says why. If you need another, ask the user to run \`coi network allow HOST\` on the host.`;
  }
}

function allowedList(entries: readonly string[]): string {
  const named = entries.filter((entry) => entry !== npmRegistryEntry);
  const registry = named.length < entries.length ? ['the npm registry'] : [];
  return [...named.map((entry) => codeList([entry])), ...registry].join(', ');
}

/** What does and does not work in git with a guarded configuration (test/incus/git-inside.test.ts). */
function gitText({ protectedPaths }: AgentContext): string[] {
  if (protectedPaths.includes('.git'))
    return ['- Git is for reading only here: commits and checkouts are refused.'];
  const lines: string[] = [];
  if (protectedPaths.includes('.git/config'))
    lines.push(
      '- git cannot write `.git/config` here ("could not write config file … Value too large for defined data type"). `git push -u`, `git branch -m` and `git branch -d` still work, but then report this error; `--set-upstream-to` does nothing, although it reports success; `git remote add`, `git config`, `git sparse-checkout` and `git submodule` `add`, `init` and `update` fail (inside a submodule you can still work: `git -C DIR checkout COMMIT` instead of `update`). `git config --global KEY VALUE` works instead, in this container only: `remote.NAME.url` and `.fetch`, `branch.NAME.remote` and `.merge`. For a permanent change, ask the user to run the command on the host.',
    );
  if (protectedPaths.includes('.git/hooks'))
    lines.push(
      '- Git hooks that the user has installed run in your commits. Hook managers (husky, lefthook, …) install none for the user from here; this is not an error to fix.',
    );
  return lines;
}

function gitHub(variables: readonly string[]): string {
  return variables.includes('GH_TOKEN') || variables.includes('GITHUB_TOKEN')
    ? ' `gh` is logged in through them.'
    : '';
}

function codeList(items: readonly string[]): string {
  return items.map((item) => `\`${item.replaceAll('`', "'")}\``).join(', ');
}
