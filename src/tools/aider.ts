// aider: https://aider.chat/docs/config/options.html. By default its history is in the workspace; the variables move it to ~/.aider.
import { aiderWords } from './first-words.ts';
import { statusDirectoryIn } from './status-directory.ts';
import type { Tool } from './tool.ts';

export const aider: Tool = {
  name: 'aider',
  title: 'aider',
  sessionsDir: 'sessions-aider',
  stateDirs: ['.aider'],
  statusDir: statusDirectoryIn('.aider'),
  seeds: [{ from: '.aider/oauth-keys.env', to: '.aider/oauth-keys.env', kind: 'credential' }],
  command: ({ binary, model, permissionMode, conversation }) => [
    binary ?? 'aider',
    ...(permissionMode === 'bypass' ? ['--yes-always'] : []),
    ...(model === undefined ? [] : ['--model', model]),
    ...(conversation.kind === 'new' ? [] : ['--restore-chat-history']),
  ],
  environment: ({ home }) => ({
    AIDER_CHAT_HISTORY_FILE: `${home}/.aider/chat.history.md`,
    AIDER_INPUT_HISTORY_FILE: `${home}/.aider/input.history`,
    AIDER_READ: `${home}/.aider/COI.md`,
    AIDER_CHECK_UPDATE: 'false',
  }),
  settings: () => [],
  contextFile: '.aider/COI.md',
  firstWords: {
    files: { dir: '.aider', depth: 0, suffix: 'chat.history.md' },
    words: aiderWords,
  },
};
