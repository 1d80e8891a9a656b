// Keys for the session itself: container, agent, environment, paths, terminal.
import { either, list, mapValue, required, table, tableOf } from './compound.ts';
import { customTool } from './custom-tool.ts';
import { anyName, prefixPattern, variable, variableName, variables } from './forms.ts';
import { key, optionalKey } from './key.ts';
import { choice, durationMs, flag, integer, nonEmpty, path, text } from './values.ts';

const toolChars = text(/^[A-Za-z0-9._/+-]+$/, 'a program name of letters, digits and . _ / + -');
const prompt = either(
  mapValue(
    table({ file: required(nonEmpty(path())) }),
    (given) => given as { readonly file: string } | string,
  ),
  mapValue(text(), (given) => given as { readonly file: string } | string),
);
const names = list(nonEmpty(text()));
const agentPath = text(
  /^(?!\.{0,2}(\/|$))(?:(?!\/\.{0,2}(\/|$)).)+$/,
  'a path below the directory of the agent, without . and ..',
);

const noEffect = { trust: 'user', effect: 'none' } as const;

export const sessionKeys = {
  'workspace.mode': key(
    choice('shared', 'own'),
    'shared',
    'Where sessions work: in the directory itself, or each in a git tree of its own.',
    { trust: { loosestFirst: ['shared', 'own'] } },
  ),
  'workspace.setup': key(
    text(),
    '',
    'Command that prepares a new tree of its own, such as `npm ci`; it runs in the container before the agent.',
    { trust: 'harmless' },
  ),
  'container.image': key(
    text(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, 'the name of an image'),
    'coi-default',
    'Image that sessions start from.',
    { trust: 'harmless' },
  ),
  'container.persistent': optionalKey(flag, 'Keep the container when the session stops.', {
    merge: 'replace',
    trust: 'harmless',
  }),
  'container.storage_pool': optionalKey(text(), 'Incus storage pool of new containers.', {
    trust: 'approve',
  }),
  'container.alias': optionalKey(
    text(
      /^[A-Za-z][A-Za-z0-9_-]{0,63}$/,
      'an alias: a letter, then letters, digits, _ or -, at most 64',
    ),
    'Short name of the workspace for commands in any directory.',
    { trust: 'harmless' },
  ),
  'container.shutdown_timeout': key(
    integer(0),
    60,
    'Seconds before a graceful stop becomes a forced one.',
    { trust: 'lower' },
  ),
  'container.ready_timeout': key(
    integer(0),
    30,
    'Start timeout of a container in seconds; at least 120 is used.',
    { trust: 'lower' },
  ),
  'container.stale_base_check': key(
    choice('error', 'warn', 'off'),
    'warn',
    'What to do if an image was built from an older base.',
    { trust: { loosestFirst: ['off', 'warn', 'error'] } },
  ),
  'container.session_name': optionalKey(
    text(anyName, 'a name of letters, digits, . _ and -, at most 64'),
    'Session name; replaces the workspace path as its identity.',
    { trust: 'user' },
  ),
  'container.docker': key(flag, true, 'Allow Docker in the container.', { trust: 'only-false' }),
  'container.build.base': optionalKey(
    text(),
    'Base image of the build: an image of this host or of an Incus remote (`images:debian/13`).',
    { trust: 'here' },
  ),
  'container.build.script': optionalKey(path(), 'Script that the build runs as root.', {
    trust: 'inside',
  }),
  'container.build.commands': key(
    names,
    [],
    'Commands that the build runs as root if there is no script.',
    { trust: 'harmless' },
  ),
  'container.build.compression': optionalKey(
    text(/^[a-z0-9]+$/, 'a compression such as "zstd" or "none"'),
    'Compression of the built image.',
    { trust: 'harmless' },
  ),
  'container.build.agents': key(
    list(nonEmpty(text(anyName, 'the name of an agent'))),
    ['claude', 'opencode', 'pi'],
    'Agents that the image contains.',
    { trust: 'user' },
  ),
  'container.build.cloud_init': key(flag, false, 'Without effect: images have none.', {
    trust: 'harmless',
    effect: 'none',
  }),
  'defaults.forward_env': key(
    list(variableName),
    [],
    "Names of variables to copy from coi's environment into sessions.",
    { merge: 'union', trust: 'approve' },
  ),
  'defaults.environment': key(variables, {}, 'Environment variables of sessions.', {
    merge: 'keywise',
    trust: 'environment',
  }),
  'defaults.env_commands': key(
    tableOf(text(), variable, 'variable name'),
    {},
    'Environment variables with the output of host commands.',
    { merge: 'keywise', trust: 'user' },
  ),
  'defaults.env_command_timeout': key(durationMs, 30_000, 'Timeout of each env_commands entry.', {
    trust: 'user',
  }),
  'defaults.profile': optionalKey(
    text(anyName, 'the name of a profile'),
    'Profile to use if none is given.',
    { trust: 'user' },
  ),
  'defaults.model': optionalKey(text(), 'Model of the agent; [tool.NAME] model overrides it.', {
    trust: 'harmless',
  }),
  'paths.sessions_dir': key(
    path(),
    '~/.coi/sessions',
    'Accepted in old files; sessions are in ~/.coi/sessions-<tool>.',
    { trust: 'user', effect: 'none' },
  ),
  'paths.storage_dir': key(path(), '~/.coi/storage', 'Accepted in old files.', noEffect),
  'paths.logs_dir': key(
    path(),
    '~/.coi/logs',
    'Accepted in old files; `coi logs` reads the journal.',
    {
      trust: 'user',
      effect: 'none',
    },
  ),
  'paths.preserve_workspace_path': key(
    flag,
    false,
    'Mount the workspace at its host path instead of /workspace; always the case for a linked git worktree.',
    { merge: 'on', trust: 'harmless' },
  ),
  'incus.project': key(
    text(anyName, 'the name of a project'),
    'default',
    'Without effect: sessions are in the Incus project default.',
    { trust: 'user', effect: 'none' },
  ),
  'incus.group': key(
    text(/^[a-z_][a-z0-9_-]{0,31}$/, 'the name of a group'),
    'incus-admin',
    'Without effect: the group is always incus-admin.',
    { trust: 'user', effect: 'none' },
  ),
  'incus.code_uid': key(
    integer(0, 65_534),
    1000,
    'Without effect: the agent always has uid 1000 in the container.',
    { trust: 'harmless', effect: 'none' },
  ),
  'incus.code_user': key(
    text(/^[a-z_][a-z0-9_-]{0,31}$/, 'the name of a user'),
    'code',
    "Without effect: the agent's user is always code.",
    { trust: 'harmless', effect: 'none' },
  ),
  'incus.disable_shift': key(flag, false, 'Without effect: ids are mapped at each mount.', {
    merge: 'on',
    trust: 'harmless',
    effect: 'none',
  }),
  'tool.name': key(text(/^[a-z][a-z0-9_-]{0,31}$/, 'the name of a tool'), 'claude', 'The agent.', {
    trust: 'harmless',
  }),
  'tool.binary': optionalKey(toolChars, "The agent's program, if it is not the default one.", {
    trust: 'approve',
  }),
  'tool.permission_mode': key(
    choice('bypass', 'interactive'),
    'bypass',
    'Whether the agent asks for permission before it acts (interactive) or not (bypass).',
    { trust: { loosestFirst: ['bypass', 'interactive'] } },
  ),
  'tool.carry': optionalKey(
    list(nonEmpty(agentPath)),
    'Files and directories of your agent directory (~/.claude for Claude Code) to copy into a new session; [] for none. Unset: those listed in the guide, and files that settings and instructions refer to.',
    { merge: 'replace', trust: 'approve' },
  ),
  'tool.context_file': optionalKey(
    path(),
    "File that replaces coi's description of the environment for the agent.",
    { trust: 'user' },
  ),
  'tool.auto_context': key(flag, true, 'Describe the environment to the agent.', {
    trust: 'harmless',
  }),
  'tool.context_json': key(
    flag,
    true,
    "Without effect: coi writes to the agent's own instruction file.",
    { trust: 'harmless', effect: 'none' },
  ),
  'tool.context_json_file': optionalKey(path(), 'Without effect.', noEffect),
  'tool.pre_launch': key(names, [], 'Commands to run in the container before the agent starts.', {
    trust: 'user',
  }),
  'tool.claude.effort_level': optionalKey(
    choice('low', 'medium', 'high', 'xhigh', 'max', 'auto'),
    "Claude's reasoning effort.",
    { trust: 'harmless' },
  ),
  'tool.claude.model': optionalKey(text(), "Claude's model.", { trust: 'harmless' }),
  'tool.codex.model': optionalKey(text(), "Codex's model.", { trust: 'harmless' }),
  'tool.codex.reasoning_effort': optionalKey(
    choice('minimal', 'low', 'medium', 'high'),
    "Codex's reasoning effort.",
    { trust: 'harmless' },
  ),
  tools: key(
    tableOf(customTool, /^[a-z][a-z0-9_-]{0,31}$/, 'tool name'),
    {},
    'User-defined agents, by name.',
    { merge: 'keywise', trust: 'user' },
  ),
  'shell.use_tmux': key(flag, true, 'Run the agent in tmux, so that you can detach.', {
    trust: 'harmless',
  }),
  'shell.tmux_prefix': optionalKey(
    text(
      prefixPattern,
      'a key such as "C-a", "C-Space", "M-b" or "F12", but none that a terminal needs (C-c, C-d, C-h, C-i, C-j, C-m)',
    ),
    "Prefix key of the session's tmux, instead of C-b.",
    { trust: 'user' },
  ),
  'shell.tmux_mouse': optionalKey(
    flag,
    "Mouse support in the session's tmux: the wheel scrolls, selected text is copied. Unset: the image's setting, which is off.",
    { merge: 'replace', trust: 'user' },
  ),
  'shell.clipboard': key(flag, true, 'Allow the session to set your clipboard (OSC 52).', {
    trust: 'only-false',
  }),
  'shell.notifications': key(flag, true, 'Allow session notifications (OSC 9, 99, 777).', {
    trust: 'only-false',
  }),
  'shell.links': key(flag, true, 'Allow the session to show links with a hidden URL (OSC 8).', {
    trust: 'only-false',
  }),
  'shell.title': key(flag, true, 'Allow the session to set the terminal title (OSC 0, 1, 2).', {
    trust: 'only-false',
  }),
  'timezone.mode': key(choice('host', 'fixed', 'utc'), 'host', 'Time zone of sessions.', {
    trust: 'harmless',
  }),
  'timezone.name': optionalKey(
    text(/^[A-Za-z0-9][A-Za-z0-9_+/-]{0,63}$/, 'a time zone such as "Europe/Berlin"'),
    'Time zone in fixed mode.',
    { trust: 'harmless' },
  ),
  'detection.gtfobins_source': optionalKey(text(), 'Accepted in old files.', noEffect),
  'detection.gtfobins_dir': optionalKey(path(), 'Accepted in old files.', noEffect),
  'detection.sigma_source': optionalKey(text(), 'Accepted in old files.', noEffect),
  'detection.sigma_dir': optionalKey(path(), 'Accepted in old files.', noEffect),
  prompts: key(
    tableOf(prompt, anyName, 'prompt name'),
    {},
    'Prompts for `coi run --prompt-name`.',
    { merge: 'keywise', trust: 'user' },
  ),
} as const;
