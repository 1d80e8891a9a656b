// Gemini CLI: https://github.com/google-gemini/gemini-cli. Everything is in ~/.gemini.
import { readGeminiTurn } from '../attention/turns/gemini.ts';
import { geminiLogin } from '../logins/formats/gemini.ts';
import { statusDirectoryIn } from './status-directory.ts';
import type { Tool } from './tool.ts';

/** Hooks that write status files, next to the user's. There is none for a turn that was interrupted in a dialog. */
const hooks = Object.fromEntries(
  [
    ['SessionStart', 'idle'],
    ['BeforeAgent', 'working'],
    ['Notification', 'asks'],
    ['AfterTool', 'working'],
    ['AfterAgent', 'idle'],
  ].map(([event, status]) => [
    event,
    [
      {
        hooks: [
          {
            name: 'coi',
            type: 'command',
            command: `sh ~/.gemini/coi/status.sh --hook --pid "\${COI_AGENT_PID:-$PPID}" ${status} || :`,
            timeout: 10_000,
          },
        ],
      },
    ],
  ]),
);

export const gemini: Tool = {
  name: 'gemini',
  title: 'Gemini CLI',
  sessionsDir: 'sessions-gemini',
  stateDirs: ['.gemini'],
  statusDir: statusDirectoryIn('.gemini'),
  turns: { dir: '.gemini/tmp', read: readGeminiTurn },
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
  keys: { interrupt: 'Escape', clear: 'C-u' },
  command: ({ binary, model, permissionMode, conversation }) => [
    binary ?? 'gemini',
    ...(permissionMode === 'bypass' ? ['--approval-mode', 'yolo'] : []),
    ...(model === undefined ? [] : ['--model', model]),
    ...(conversation.kind === 'new' ? [] : ['--resume', 'latest']),
  ],
  environment: () => ({}),
  settings: ({ workspace }) => [
    { path: '.gemini/trustedFolders.json', values: { [workspace]: 'TRUST_FOLDER' } },
    { path: '.gemini/settings.json', at: ['hooks'], values: hooks, adds: true },
  ],
  ownFiles: [{ path: '.gemini/coi/status.sh', content: { guest: 'coi-status.sh' } }],
  contextFile: '.gemini/GEMINI.md',
};
