// coi completion: scripts for the shells, which ask `coi __complete` for everything.
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError } from '../errors.ts';
import { quoted } from '../names.ts';

export function register(command: Command, app: App): void {
  command
    .argument('<shell>', 'bash, zsh, fish or powershell')
    .addHelpText(
      'after',
      '\nbash: source <(coi completion bash)\nzsh:  coi completion zsh > ~/.zfunc/_coi (a directory of your fpath)\nfish: coi completion fish > ~/.config/fish/completions/coi.fish\npowershell: coi completion powershell | Out-String | Invoke-Expression',
    )
    .action((shell: string) => app.io.print(script(shell)));
}

/** The completion script of a shell. Throws `usage`. */
export function script(shell: string): string {
  switch (shell) {
    case 'bash':
      return bash;
    case 'zsh':
      return `#compdef coi\nautoload -U +X bashcompinit && bashcompinit\n${bash}`;
    case 'fish':
      return "complete -c coi -a '(coi __complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'";
    case 'powershell':
      return powershell;
    default:
      throw new CoiError('usage', `no completion for ${quoted(shell)}`, {
        hint: 'Shells: bash, zsh, fish, powershell.',
      });
  }
}

/** The word under the cursor is empty where the line ends with a blank. */
const powershell = `Register-ArgumentCompleter -Native -CommandName coi -ScriptBlock {
  param($word, $line, $at)
  $words = @($line.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
  if ($word -eq '') { $words += '' }
  coi __complete -- @words 2>$null | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}`;

/** Without candidates bash offers files. The candidates hold nothing that compgen would expand. */
const bash = `_coi() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(coi __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _coi coi`;
