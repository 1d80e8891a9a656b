// pi: https://github.com/badlogic/pi-mono. Settings, logins and conversations are in ~/.pi/agent.
import { piLogin } from '../logins/formats/by-provider.ts';
import { piWords } from './first-words.ts';
import { statusDirectoryIn } from './status-directory.ts';
import type { Tool } from './tool.ts';

export const pi: Tool = {
  name: 'pi',
  title: 'pi',
  sessionsDir: 'sessions-pi',
  stateDirs: ['.pi/agent'],
  statusDir: statusDirectoryIn('.pi/agent'),
  seeds: [
    { from: '.pi/agent/settings.json', to: '.pi/agent/settings.json', kind: 'settings' },
    { from: '.pi/agent/models.json', to: '.pi/agent/models.json', kind: 'settings' },
    { from: '.pi/agent/AGENTS.md', to: '.pi/agent/AGENTS.md', kind: 'context' },
  ],
  carry: {
    directory: '.pi/agent',
    names: ['prompts', 'skills', 'themes', 'extensions'],
    parts: { skills: 1, extensions: 1 },
    never: ['auth.json'],
  },
  login: piLogin,
  keys: { interrupt: 'Escape', clear: 'C-u' },
  command: ({ binary, model, conversation }) => [
    binary ?? 'pi',
    ...(model === undefined ? [] : ['--model', model]),
    ...(conversation.kind === 'new' ? [] : ['--continue']),
  ],
  environment: () => ({ PI_SKIP_VERSION_CHECK: '1' }),
  settings: () => [],
  ownFiles: [
    { path: '.pi/agent/extensions/coi-status/index.js', content: { guest: 'pi-status.js' } },
  ],
  contextFile: '.pi/agent/AGENTS.md',
  firstWords: {
    files: { dir: '.pi/agent/sessions', depth: 1, suffix: '.jsonl' },
    words: piWords,
  },
};
