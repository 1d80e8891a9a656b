// Codex: https://github.com/openai/codex. Conversations are ~/.codex/sessions/YYYY/MM/DD/rollout-<time>-<uuid>.jsonl.
import { readCodexTurn } from '../attention/turns/codex.ts';
import { codexLogin } from '../logins/formats/codex.ts';
import { codexWords } from './first-words.ts';
import { statusDirectoryIn } from './status-directory.ts';
import { newestOf, type Tool, type ToolLaunch } from './tool.ts';

const conversations = { dir: '.codex/sessions', depth: 3, suffix: '.jsonl' };

/**
 * Hooks that write status files. Codex runs hooks of the administrator without asking; those of the command line only with a
 * flag that also runs unknown ones of the project. An administrator's own file stays.
 */
const hooksFile = '.codex/coi/requirements.toml';
const installHooks = [
  'coi_hooks=/etc/codex/requirements.toml',
  `if { [ ! -e $coi_hooks ] || grep -q '^# Written by coi' $coi_hooks; } && ! cmp -s ~/${hooksFile} $coi_hooks; then`,
  `  sudo -n install -D -m 644 ~/${hooksFile} $coi_hooks`,
  'fi 2>/dev/null',
  'unset coi_hooks',
];

export const codex: Tool = {
  name: 'codex',
  title: 'Codex',
  sessionsDir: 'sessions-codex',
  stateDirs: ['.codex'],
  statusDir: statusDirectoryIn('.codex'),
  turns: { dir: conversations.dir, read: readCodexTurn },
  seeds: [
    { from: '.codex/config.toml', to: '.codex/config.toml', kind: 'settings' },
    { from: '.codex/AGENTS.md', to: '.codex/AGENTS.md', kind: 'context' },
  ],
  carry: {
    directory: '.codex',
    names: ['prompts', 'rules', 'skills'],
    parts: { skills: 1, prompts: 1 },
    never: ['auth.json'],
  },
  login: codexLogin,
  keys: { interrupt: 'Escape', clear: 'C-u' },
  command: (launch) => [
    launch.binary ?? 'codex',
    ...resumeArguments(launch),
    ...permission(launch),
    ...choices(launch),
  ],
  headless: (launch) => [
    launch.binary ?? 'codex',
    'exec',
    '--skip-git-repo-check',
    ...permission(launch),
    ...choices(launch),
    ...resumeArguments(launch),
    '-',
  ],
  beforeStart: installHooks,
  ownFiles: [
    { path: '.codex/coi/status.sh', content: { guest: 'coi-status.sh' } },
    { path: hooksFile, content: { guest: 'codex-requirements.toml' } },
  ],
  environment: () => ({}),
  settings: () => [],
  contextFile: '.codex/AGENTS.md',
  conversations,
  firstWords: { files: conversations, words: codexWords },
  newestConversation: (files) =>
    newestOf(
      files,
      (path) =>
        /\/rollout-[^/]*-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$/.exec(path)?.[1],
    ),
};

function resumeArguments({ conversation }: ToolLaunch): string[] {
  if (conversation.kind === 'new') return [];
  return ['resume', conversation.id ?? '--last'];
}

function permission({ permissionMode }: ToolLaunch): string[] {
  return permissionMode === 'bypass'
    ? ['--dangerously-bypass-approvals-and-sandbox']
    : ['-s', 'workspace-write', '-a', 'on-request'];
}

/** `-c` takes TOML; the user's config.toml stays as it is. */
function choices({ model, effort, workspace }: ToolLaunch): string[] {
  return [
    ...(model === undefined ? [] : ['-m', model]),
    ...(effort === undefined ? [] : ['-c', `model_reasoning_effort=${JSON.stringify(effort)}`]),
    '-c',
    `projects={${JSON.stringify(workspace)}={trust_level="trusted"}}`,
  ];
}
