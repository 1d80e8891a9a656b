// Gemini CLI: https://github.com/google-gemini/gemini-cli. Everything is in ~/.gemini.
import { geminiLogin } from '../logins/formats/gemini.ts';
import { statusDirectoryIn } from './status-directory.ts';
import type { Tool } from './tool.ts';

export const gemini: Tool = {
  name: 'gemini',
  title: 'Gemini CLI',
  sessionsDir: 'sessions-gemini',
  stateDirs: ['.gemini'],
  statusDir: statusDirectoryIn('.gemini'),
  seeds: [
    {
      from: '.gemini/google_accounts.json',
      to: '.gemini/google_accounts.json',
      kind: 'credential',
    },
    { from: '.gemini/settings.json', to: '.gemini/settings.json', kind: 'settings' },
    { from: '.gemini/GEMINI.md', to: '.gemini/GEMINI.md', kind: 'context' },
  ],
  carry: {
    directory: '.gemini',
    names: ['commands', 'skills', 'policies', 'agents'],
    parts: { commands: 1, skills: 1, agents: 1 },
    imports: true,
    never: ['oauth_creds.json', 'google_accounts.json'],
  },
  login: geminiLogin,
  command: ({ binary, model, permissionMode, conversation }) => [
    binary ?? 'gemini',
    ...(permissionMode === 'bypass' ? ['--approval-mode', 'yolo'] : []),
    ...(model === undefined ? [] : ['--model', model]),
    ...(conversation.kind === 'new' ? [] : ['--resume', 'latest']),
  ],
  environment: () => ({}),
  settings: ({ workspace }) => [
    { path: '.gemini/trustedFolders.json', values: { [workspace]: 'TRUST_FOLDER' } },
  ],
  contextFile: '.gemini/GEMINI.md',
};
