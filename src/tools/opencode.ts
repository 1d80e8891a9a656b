// opencode: https://opencode.ai/docs. Its conversations are in ~/.local/share/opencode, its settings in ~/.config/opencode.
import { opencodeLogin } from '../logins/formats/by-provider.ts';
import { statusDirectoryIn } from './status-directory.ts';
import type { Tool } from './tool.ts';

/**
 * Before its first screen opencode fetches the model list: two tries of ten seconds each if nothing answers. With the
 * variable set it uses its built-in list instead (seen in 1.18). Behind a proxy this check cannot tell, so it is skipped.
 */
const modelsIfReachable = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: bash.
  'if [ -z "${OPENCODE_DISABLE_MODELS_FETCH+set}${OPENCODE_MODELS_URL-}${HTTPS_PROXY-}${https_proxy-}" ]; then',
  "  timeout 2 bash -c ': <>/dev/tcp/models.opencode.ai/443' 2>/dev/null || export OPENCODE_DISABLE_MODELS_FETCH=1",
  'fi',
];

/**
 * The plugin that writes status files, below the home. A configuration file of its own adds it to the user's plugins, and
 * leaves tui.json alone: opencode moves old settings there only if there is no such file.
 */
const ownDirectory = '.config/opencode/coi';
const tuiConfig = 'OPENCODE_TUI_CONFIG';

export const opencode: Tool = {
  name: 'opencode',
  title: 'opencode',
  sessionsDir: 'sessions-opencode',
  stateDirs: ['.config/opencode', '.local/share/opencode', '.local/state/opencode'],
  statusDir: statusDirectoryIn('.local/share/opencode'),
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
  carry: {
    directory: '.config/opencode',
    names: [
      ...['command', 'commands', 'agent', 'agents', 'mode', 'modes'],
      ...['skill', 'skills', 'themes', 'prompts'],
    ],
    parts: { skill: 1, skills: 1 },
  },
  login: opencodeLogin,
  // Ctrl-C in an empty input box would exit.
  keys: { interrupt: 'Escape', clear: 'C-u' },
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
  beforeStart: modelsIfReachable,
  environment: ({ home, variables }) => ({
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    ...(!variables?.includes(tuiConfig) && { [tuiConfig]: `${home}/${ownDirectory}/tui.json` }),
  }),
  ownFiles: [
    {
      path: `${ownDirectory}/tui.json`,
      content: { text: '{"plugin":["./opencode-status.js"]}\n' },
    },
    ...['opencode-status.js', 'opencode-answers.js', 'opencode-conversations.js'].map((guest) => ({
      path: `${ownDirectory}/${guest}`,
      content: { guest },
    })),
  ],
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
