// opencode: https://opencode.ai/docs. Its conversations are in ~/.local/share/opencode, its settings in ~/.config/opencode.
import { opencodeLogin } from '../logins/by-provider.ts';
import type { Tool } from './shape.ts';

export const opencode: Tool = {
  name: 'opencode',
  title: 'opencode',
  sessionsDir: 'sessions-opencode',
  stateDirs: ['.config/opencode', '.local/share/opencode', '.local/state/opencode'],
  seeds: [
    {
      from: '.config/opencode/opencode.json',
      to: '.config/opencode/opencode.json',
      kind: 'settings',
    },
    {
      from: '.config/opencode/opencode.jsonc',
      to: '.config/opencode/opencode.jsonc',
      kind: 'settings',
    },
    { from: '.config/opencode/tui.json', to: '.config/opencode/tui.json', kind: 'settings' },
    { from: '.config/opencode/AGENTS.md', to: '.config/opencode/AGENTS.md', kind: 'context' },
  ],
  login: opencodeLogin,
  command: ({ binary, model, conversation }) => [
    binary ?? 'opencode',
    ...(model === undefined ? [] : ['--model', model]),
    ...(conversation.kind === 'new'
      ? []
      : conversation.id === undefined
        ? ['--continue']
        : ['--session', conversation.id]),
  ],
  headless: ({ binary, model, conversation }) => [
    binary ?? 'opencode',
    'run',
    ...(model === undefined ? [] : ['--model', model]),
    ...(conversation.kind === 'new'
      ? []
      : conversation.id === undefined
        ? ['--continue']
        : ['--session', conversation.id]),
  ],
  environment: () => ({ OPENCODE_DISABLE_AUTOUPDATE: '1' }),
  settings: ({ permissionMode }) => [
    {
      path: '.config/opencode/opencode.json',
      values: {
        $schema: 'https://opencode.ai/config.json',
        permission: { '*': permissionMode === 'bypass' ? 'allow' : 'ask' },
      },
    },
  ],
  contextFile: '.config/opencode/AGENTS.md',
};
