// Claude Code: https://docs.anthropic.com/en/docs/claude-code. CLAUDE_CONFIG_DIR puts everything, also .claude.json, in one directory.
import { claudeLogin } from '../logins/formats/claude.ts';
import { fitSettings, namedFiles } from './claude-settings.ts';
import { claudeWords } from './first-words.ts';
import { statusDirectoryIn } from './status-directory.ts';
import { newestOf, type SettingsMerge, type Tool, type ToolLaunch } from './tool.ts';

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * `coi send` submits with these keys. Unlike Enter they do nothing in a dialog, which may open at any moment.
 * Source: https://code.claude.com/docs/en/keybindings.
 */
const submitBinding: SettingsMerge = {
  path: '.claude/keybindings.json',
  values: { bindings: [{ context: 'Chat', bindings: { 'ctrl+x ctrl+q': 'chat:submit' } }] },
  adds: true,
};

/**
 * Questions and plans can be answered through this hook (session/guest/claude-ask.sh). It comes with the command line: the
 * user's settings stay as they are, and `--print` has no such hook, for it would wait as long as the hook. Permissions are
 * not among its matchers: a hook of the user's that decides them would have no effect while this one waits.
 */
export const askScript = '.claude/coi/ask.sh';
const askHook = JSON.stringify({
  hooks: {
    PermissionRequest: [
      {
        matcher: 'AskUserQuestion|ExitPlanMode',
        hooks: [
          {
            type: 'command',
            command: `[ -r ~/${askScript} ] && command -v bash >/dev/null && exec bash ~/${askScript}; exit 0`,
            timeout: 86_400,
          },
        ],
      },
    ],
  },
});

const conversations = { dir: '.claude/projects', depth: 1, suffix: '.jsonl' };

export const claude: Tool = {
  name: 'claude',
  title: 'Claude Code',
  sessionsDir: 'sessions-claude',
  stateDirs: ['.claude'],
  statusDir: statusDirectoryIn('.claude'),
  seeds: [
    {
      from: '.claude/settings.json',
      to: '.claude/settings.json',
      kind: 'settings',
      fit: { apply: fitSettings, named: namedFiles },
    },
    { from: '.claude/config.yml', to: '.claude/config.yml', kind: 'settings' },
    { from: '.claude/CLAUDE.md', to: '.claude/CLAUDE.md', kind: 'context' },
    {
      from: '.claude.json',
      to: '.claude/.claude.json',
      kind: 'settings',
      // Neither `projects` (the history of all other projects) nor `mcpServers` (credentials of other services).
      keys: [
        'oauthAccount',
        'userID',
        'primaryApiKey',
        'customApiKeyResponses',
        'hasCompletedOnboarding',
        'lastOnboardingVersion',
        'theme',
        'editorMode',
        'verbose',
        'preferredNotifChannel',
        'tipsHistory',
        'hasAcknowledgedCostThreshold',
        'resumeReturnDismissed',
      ],
      leftOut: { key: 'mcpServers', title: 'MCP servers' },
    },
  ],
  carry: {
    directory: '.claude',
    names: [
      ...['commands', 'agents', 'skills', 'output-styles', 'rules', 'themes', 'workflows'],
      ...['hooks', 'scripts', 'keybindings.json', 'plugins'],
    ],
    // `plugins/cache/<marketplace>/<plugin>`, `plugins/marketplaces/<marketplace>`.
    parts: { plugins: 3, skills: 1, commands: 1, agents: 1 },
    withPaths: ['plugins/installed_plugins.json', 'plugins/known_marketplaces.json'],
    imports: true,
    never: ['.credentials.json', '.claude.json'],
  },
  login: claudeLogin,
  registry: {
    dir: '.claude/sessions',
    process: 'claude',
    projects: conversations.dir,
    transcript: (cwd, conversation) => `${projectOf(cwd)}/${conversation}.jsonl`,
    subAgents: (cwd, conversation) => `${projectOf(cwd)}/${conversation}/subagents`,
  },
  keys: {
    interrupt: 'Escape',
    clear: 'C-c',
    submit: {
      keys: 'C-x C-q',
      binding: submitBinding,
      isBound: (text) => /"ctrl\+x ctrl\+q":\s*"chat:submit"/.test(text),
    },
  },
  command: (launch) => [
    launch.binary ?? 'claude',
    ...['--verbose', '--settings', askHook],
    ...permission(launch),
    ...model(launch),
    ...conversation(launch),
  ],
  // --resume without an id would ask which conversation.
  continueCommand: (launch) => [
    launch.binary ?? 'claude',
    ...['--verbose', '--settings', askHook],
    ...permission(launch),
    ...model(launch),
    '--continue',
  ],
  ownFiles: [{ path: askScript, content: { guest: 'claude-ask.sh' } }],
  headless: (launch) => [
    launch.binary ?? 'claude',
    '--print',
    ...permission(launch),
    ...model(launch),
    ...(launch.conversation.kind === 'resume' && launch.conversation.id === undefined
      ? ['--continue']
      : conversation(launch)),
  ],
  environment: ({ home, effort }) => ({
    CLAUDE_CONFIG_DIR: `${home}/.claude`,
    DISABLE_AUTOUPDATER: '1',
    ...(effort !== undefined && { CLAUDE_CODE_EFFORT_LEVEL: effort }),
  }),
  settings: (launch) => [
    {
      path: '.claude/settings.json',
      values: {
        ...(launch.permissionMode === 'bypass' && bypassSettings),
        ...(launch.plainCommits && { includeCoAuthoredBy: false }),
      },
    },
    {
      path: '.claude/.claude.json',
      values: launch.permissionMode === 'bypass' ? { bypassPermissionsModeAccepted: true } : {},
    },
    { path: '.claude/.claude.json', values: offersSeen },
    submitBinding,
    {
      path: '.claude/.claude.json',
      at: ['projects', launch.workspace],
      values: {
        ...trustedProject,
        ...(launch.permissionMode === 'bypass' && importsAllowed),
      },
    },
    { path: '.claude/.claude.json', values: onboarded, onlyWithLogin: true },
    // Otherwise Claude Code asks about a key in the environment, with "no" as the default answer.
    ...(launch.keyTails ?? []).map((tail) => ({
      path: '.claude/.claude.json',
      at: ['customApiKeyResponses'],
      values: { approved: [tail] },
    })),
  ],
  loginVariables: [
    'ANTHROPIC_API_KEY',
    'ANTHROPIC_AUTH_TOKEN',
    'CLAUDE_CODE_OAUTH_TOKEN',
    'CLAUDE_CODE_USE_BEDROCK',
    'CLAUDE_CODE_USE_VERTEX',
  ],
  contextFile: '.claude/CLAUDE.md',
  conversations,
  firstWords: { files: conversations, words: claudeWords },
  newestConversation: (files, workspace) => {
    const project = projectName(workspace);
    return newestOf(files, (path) => {
      const [dir, file] = path.split('/').slice(-2);
      const id = file?.replace(/\.jsonl$/, '') ?? '';
      return dir === project && uuid.test(id) ? id : undefined;
    });
  },
};

const bypassSettings = {
  allowDangerouslySkipPermissions: true,
  bypassPermissionsModeAccepted: true,
  skipDangerousModePermissionPrompt: true,
  permissions: { defaultMode: 'bypassPermissions' },
};

const trustedProject = {
  hasTrustDialogAccepted: true,
  hasCompletedProjectOnboarding: true,
  projectOnboardingSeenCount: 1,
  allowedTools: [],
};

/** For bypass mode. Imports are files in the container, which the agent may read anyway. */
const importsAllowed = {
  hasClaudeMdExternalIncludesApproved: true,
  hasClaudeMdExternalIncludesWarningShown: true,
};

/**
 * Dialogs before the prompt of a new session. They take the first message as their answer, and Enter changes the
 * permission mode or the screen. Found in 2.1.197: the nudge appears if the default mode is not auto, the notice in auto
 * mode, and the fullscreen renderer offer until it was seen three times.
 */
const offersSeen = {
  hasSeenAutoDefaultNudge: true,
  hasSeenAutoDefaultNotice: true,
  fullscreenUpsellSeenCount: 3,
};

/** Claude Code names the directory of a project's conversations after the project's path. */
function projectName(cwd: string): string {
  return cwd.replace(/[^A-Za-z0-9]/g, '-');
}

function projectOf(cwd: string): string {
  return `${conversations.dir}/${projectName(cwd)}`;
}

const onboarded = { hasCompletedOnboarding: true, theme: 'dark' };

function permission({ permissionMode }: ToolLaunch): string[] {
  return permissionMode === 'bypass' ? ['--permission-mode', 'bypassPermissions'] : [];
}

function model({ model }: ToolLaunch): string[] {
  return model === undefined ? [] : ['--model', model];
}

function conversation({ conversation, sessionId }: ToolLaunch): string[] {
  if (conversation.kind === 'new') return ['--session-id', sessionId];
  return conversation.id === undefined ? ['--resume'] : ['--resume', conversation.id];
}
