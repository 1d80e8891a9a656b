// What the agent is told about its surroundings, and where that goes in its own file of instructions. Pure.
import type { NetworkMode } from '../coid-api/network-protocol.ts';
import { npmRegistryEntry } from '../config/keys/reach.ts';

export interface Surroundings {
  readonly tool: string;
  /** Paths in the container. */
  readonly workspace: string;
  /** The workspace has the same path on the host. */
  readonly samePath: boolean;
  readonly home: string;
  readonly persistent: boolean;
  readonly permissionMode: 'bypass' | 'interactive';
  readonly network: NetworkMode;
  /** Entries of the allowlist, where the mode is that. */
  readonly allowed: readonly string[];
  readonly protectedPaths: readonly string[];
  /** Globs of what is empty inside. */
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
export function contextText(facts: Surroundings): string {
  const lines = [
    '# Where you are',
    '',
    'You work in a Linux container of your own (Incus, systemd) that `coi` made for this session. It is separate from the host.',
    '',
    `- Workspace: \`${facts.workspace}\`, the user's project on the host: what you change there, the user sees at once.`,
    `- ${facts.persistent ? 'The container is kept when it stops' : 'The container is deleted when it stops'}; the workspace and this conversation are kept in any case. Nothing else in \`${facts.home}\` ${facts.persistent ? 'is backed up' : 'outlives the session'}.`,
    `- You are user \`code\` with \`sudo\` without a password.${facts.docker ? ' Docker and `docker compose` work.' : ' Docker is switched off.'}`,
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

/** `own` with the block put in place of an earlier one, or at its end. */
export function withContext(own: string, text: string): string {
  const block = `${begin}\n${text.replaceAll(begin, '').replaceAll(end, '').trim()}\n${end}\n`;
  const rest = withoutContext(own).trimEnd();
  return rest === '' ? block : `${rest}\n\n${block}`;
}

/** `own` without any block of coi's; an unfinished one reaches to the end. */
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

function networkText(facts: Surroundings): string {
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

/** What of git cannot work beside a guarded configuration, and what does (test/incus/git-inside.test.ts). */
function gitText({ protectedPaths }: Surroundings): string[] {
  if (protectedPaths.includes('.git'))
    return ['- Git is for reading only here: commits and checkouts are refused.'];
  const lines: string[] = [];
  if (protectedPaths.includes('.git/config'))
    lines.push(
      '- git cannot write `.git/config` here ("could not write config file … Value too large for defined data type"). `git push -u`, `git branch -m` and `git branch -d` do their work before they say so; `--set-upstream-to` does nothing, whatever it says; `git remote add`, `git config`, `git sparse-checkout` and `git submodule` `add`, `init` and `update` fail (work in a submodule itself goes on: `git -C DIR checkout COMMIT` instead of `update`). `git config --global KEY VALUE` works instead, in this container only: `remote.NAME.url` and `.fetch`, `branch.NAME.remote` and `.merge`. If it has to last, ask the user to run the command on the host.',
    );
  if (protectedPaths.includes('.git/hooks'))
    lines.push(
      '- Git hooks that the user has installed run in your commits. Hook managers (husky, lefthook, …) install none for the user from here; that is no fault to mend.',
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
