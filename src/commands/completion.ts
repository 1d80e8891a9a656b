// coi completion: scripts for the shells, which ask `coi __complete` for names.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { tree } from './tree.ts';

export function register(command: Command, app: App): void {
  command
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText(
      'after',
      '\nbash: source <(coi completion bash)\nzsh:  coi completion zsh > ~/.zfunc/_coi (a directory of your fpath)\nfish: coi completion fish > ~/.config/fish/completions/coi.fish',
    )
    .action((shell: string) => app.io.print(script(shell)));
}

const flags = [
  '--workspace',
  '--slot',
  '--resume',
  '--continue',
  '--profile',
  '--image',
  '--persistent',
  '--env',
  '--mount',
  '--network',
  '--help',
];

/** The completion script of a shell: commands, global flags, then names where a command takes one. */
export function script(shell: string): string {
  const names = tree.filter(({ hidden }) => !hidden).map(({ name }) => name);
  switch (shell) {
    case 'bash':
      return bash(names);
    case 'zsh':
      return `#compdef coi\nautoload -U +X bashcompinit && bashcompinit\n${bash(names)}`;
    case 'fish':
      return [
        'complete -c coi -f',
        ...tree
          .filter(({ hidden }) => !hidden)
          .map(
            ({ name, summary }) =>
              `complete -c coi -n __fish_use_subcommand -a ${name} -d '${summary.replaceAll("'", "\\'")}'`,
          ),
        ...flags.map((flag) => `complete -c coi -l ${flag.slice(2)}`),
        `complete -c coi -n '__fish_seen_subcommand_from ${namedCommands.join(' ')}' -a '(coi list --format names 2>/dev/null)'`,
      ].join('\n');
    default:
      throw new CoiError('usage', `no completion for "${shell}"`, {
        hint: 'Shells: bash, zsh, fish.',
      });
  }
}

/** Commands whose arguments are names of containers or aliases. */
const namedCommands = ['attach', 'kill', 'shutdown', 'close'];

function bash(names: readonly string[]): string {
  return `_coi() {
  local word=\${COMP_WORDS[COMP_CWORD]} command=
  local i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in -*) ;; *) command=\${COMP_WORDS[i]}; break ;; esac
  done
  if [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "${flags.join(' ')}" -- "$word"))
  elif [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "${names.join(' ')} help" -- "$word"))
  else
    case $command in
      ${namedCommands.join('|')}) COMPREPLY=($(compgen -W "$(coi list --format names 2>/dev/null)" -- "$word")) ;;
      *) COMPREPLY=($(compgen -f -- "$word")) ;;
    esac
  fi
}
complete -o default -F _coi coi`;
}
