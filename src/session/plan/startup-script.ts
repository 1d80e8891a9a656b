// Setup in the container before a command starts: the user's git identity, tool setup, `[tool] pre_launch`. Pure.
import { shellQuote } from '../../shell-quoting.ts';

export interface Identity {
  readonly name: string | undefined;
  readonly email: string | undefined;
}

export interface Prelude {
  readonly identity: Identity | undefined;
  /** Lines of bash (tool-setup.ts). */
  readonly setup?: readonly string[];
  readonly preLaunch: readonly string[];
  /** `[workspace] setup` of a new tree. */
  readonly treeSetup?: string | undefined;
  /** Lines of bash from the tool definition. */
  readonly ofTool?: readonly string[] | undefined;
}

const limitSeconds = 300;
/** Installing the packages of a large project takes minutes. */
const setupLimitSeconds = 3600;

/** Puts the prelude before the command, if there is any. The command starts even if the prelude fails. */
export function withPrelude(command: readonly string[], prelude: Prelude): readonly string[] {
  const lines = [
    ...identityLines(prelude.identity),
    ...(prelude.setup ?? []),
    ...(prelude.treeSetup ? [treeSetupLine(prelude.treeSetup)] : []),
    ...prelude.preLaunch.map(preLaunchLine),
    ...(prelude.ofTool ?? []),
  ];
  if (lines.length === 0) return command;
  return ['bash', '-c', [...lines, 'exec "$@"'].join('\n'), 'coi-prelude', ...command];
}

/** Only if the guest's user has no git configuration yet: from then on the file belongs to the agent. */
function identityLines(identity: Identity | undefined): string[] {
  const rows = Object.entries(identity ?? {}).flatMap(([key, value]) =>
    value ? [`\t${key} = ${quoteForGit(value)}`] : [],
  );
  if (rows.length === 0) return [];
  const text = ['[user]', ...rows, ''].join('\n');
  return [`[ -e ~/.gitconfig ] || printf %s ${shellQuote(text)} >~/.gitconfig`];
}

/** A failure is printed but does not prevent the start. */
function preLaunchLine(command: string): string {
  const quoted = shellQuote(command);
  return `timeout ${limitSeconds} bash -c ${quoted} </dev/null || printf 'pre_launch: status %s: %s\\n' "$?" ${quoted} >&2`;
}

/** Its output is shown; a failure is printed but does not prevent the start. */
function treeSetupLine(command: string): string {
  const quoted = shellQuote(command);
  return `printf 'setup: %s\\n' ${quoted}; timeout ${setupLimitSeconds} bash -c ${quoted} </dev/null || printf 'setup: status %s: %s\\n' "$?" ${quoted} >&2`;
}

function quoteForGit(text: string): string {
  const plain = text.replace(/[\u0000-\u001f\u007f]/g, ' ');
  return `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
