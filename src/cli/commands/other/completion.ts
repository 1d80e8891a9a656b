// `coi completion`: prints the shell scripts, which call `coi __complete` for candidates.
import type { Command } from 'commander';
import { CoiError } from '../../../errors.ts';
import { quoted } from '../../../names.ts';
import type { App } from '../../app.ts';
import { bash, fish, powershell, zsh } from '../../completion/scripts.ts';

export function register(command: Command, app: App): void {
  command
    .argument('<shell>', 'the shell: bash, zsh, fish or powershell')
    .addHelpText(
      'after',
      `
To complete with Tab in every new shell, add to its start-up file:
  bash        source <(coi completion bash)             in ~/.bashrc
  zsh         source <(coi completion zsh)              in ~/.zshrc
  fish        coi completion fish | source              in ~/.config/fish/config.fish
  powershell  coi completion powershell | Out-String | Invoke-Expression   in $PROFILE`,
    )
    .action((shell: string) => app.io.print(script(shell)));
}

/** The completion script of a shell. Throws `usage`. */
export function script(shell: string): string {
  switch (shell) {
    case 'bash':
      return bash;
    case 'zsh':
      return zsh;
    case 'fish':
      return fish;
    case 'powershell':
      return powershell;
    default:
      throw new CoiError('usage', `no completion for shell ${quoted(shell)}`, {
        hint: 'Use bash, zsh, fish or powershell.',
      });
  }
}
