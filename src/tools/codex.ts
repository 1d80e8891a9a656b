// Codex: https://github.com/openai/codex. Conversations are ~/.codex/sessions/YYYY/MM/DD/rollout-<time>-<uuid>.jsonl.
import { codexLogin } from '../logins/formats/codex.ts';
import { codexWords } from './first-words.ts';
import { statusDirectoryIn } from './status-directory.ts';
import { newestOf, type Tool, type ToolLaunch } from './tool.ts';

const conversations = { dir: '.codex/sessions', depth: 3, suffix: '.jsonl' };

export const codex: Tool = {
  name: 'codex',
  title: 'Codex',
  sessionsDir: 'sessions-codex',
  stateDirs: ['.codex'],
  statusDir: statusDirectoryIn('.codex'),
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
