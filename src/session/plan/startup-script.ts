// What is done inside before a command starts: the user's name for commits, the tools' setup, `[tool] pre_launch`. Pure.
import { shellQuoted } from '../../shell-quoting.ts';

export interface Identity {
  readonly name: string | undefined;
  readonly email: string | undefined;
}

export interface Prelude {
  readonly identity: Identity | undefined;
  /** Lines of bash (tool-setup.ts). */
  readonly setup?: readonly string[];
  readonly preLaunch: readonly string[];
  /** What the tool itself needs, as lines of bash. */
  readonly ofTool?: readonly string[] | undefined;
}

const limitSeconds = 300;

/** The command with the prelude before it; the same command where there is nothing to do. It always starts. */
export function withPrelude(command: readonly string[], prelude: Prelude): readonly string[] {
  const lines = [
    ...identityLines(prelude.identity),
    ...(prelude.setup ?? []),
    ...prelude.preLaunch.map(preLaunchLine),
    ...(prelude.ofTool ?? []),
  ];
  if (lines.length === 0) return command;
  return ['bash', '-c', [...lines, 'exec "$@"'].join('\n'), 'coi-prelude', ...command];
}

/** Only where the guest's user has no configuration yet: the file is the agent's from then on. */
function identityLines(identity: Identity | undefined): string[] {
  const rows = Object.entries(identity ?? {}).flatMap(([key, value]) =>
    value ? [`\t${key} = ${gitQuoted(value)}`] : [],
  );
  if (rows.length === 0) return [];
  const text = ['[user]', ...rows, ''].join('\n');
  return [`[ -e ~/.gitconfig ] || printf %s ${shellQuoted(text)} >~/.gitconfig`];
}

/** A failure is told and keeps nothing from starting. */
function preLaunchLine(command: string): string {
  const quoted = shellQuoted(command);
  return `timeout ${limitSeconds} bash -c ${quoted} </dev/null || printf 'pre_launch: status %s: %s\\n' "$?" ${quoted} >&2`;
}

function gitQuoted(text: string): string {
  const plain = text.replace(/[\u0000-\u001f\u007f]/g, ' ');
  return `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
