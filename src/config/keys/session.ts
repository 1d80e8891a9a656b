// Keys of what a session is: container, agent, environment, places.
import { either, list, mapped, named, required, table } from './compound.ts';
import { customTool } from './custom-tool.ts';
import { anyName, prefixPattern, variable, variableName, variables } from './forms.ts';
import { key, unset } from './key.ts';
import { choice, durationMs, filled, flag, integer, path, text } from './values.ts';

const toolChars = text(/^[A-Za-z0-9._/+-]+$/, 'a program name of letters, digits and . _ / + -');
const prompt = either(
  mapped(
    table({ file: required(filled(path())) }),
    (given) => given as { readonly file: string } | string,
  ),
  mapped(text(), (given) => given as { readonly file: string } | string),
);
const names = list(filled(text()));
const agentPath = text(
  /^(?!\.{0,2}(\/|$))(?:(?!\/\.{0,2}(\/|$)).)+$/,
  'a path below the directory of the agent, without . and ..',
);

export const sessionKeys = {
  'container.image': key(
    text(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/, 'the name of an image'),
    'coi-default',
    'Image that sessions start from.',
    { trust: 'harmless' },
  ),
  'container.persistent': unset(flag, 'Keep the container when its session has stopped.', {
    merge: 'replace',
    trust: 'harmless',
  }),
  'container.storage_pool': unset(text(), 'Incus storage pool of new containers.', {
    trust: 'approve',
  }),
  'container.alias': unset(
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
    'Seconds until a graceful stop becomes a forced one.',
    { trust: 'lower' },
  ),
  'container.ready_timeout': key(
    integer(0),
    30,
    'Seconds that a container may take to start; less than 120 counts as 120.',
    { trust: 'lower' },
  ),
  'container.stale_base_check': key(
    choice('error', 'warn', 'off'),
    'warn',
    'What to do when an image was built from an older base.',
    { trust: { loosestFirst: ['off', 'warn', 'error'] } },
  ),
  'container.session_name': unset(
    text(anyName, 'a name of letters, digits, . _ and -, at most 64'),
    'Names the session instead of the path of its workspace.',
    { trust: 'user' },
  ),
  'container.docker': key(flag, true, 'Allow Docker inside.', { trust: 'only-false' }),
  'container.build.base': unset(
    text(),
    'Image that the build starts from: of this host, or of an Incus remote (`images:debian/13`).',
    { trust: 'here' },
  ),
  'container.build.script': unset(path(), 'Script that the build runs as root.', {
    trust: 'inside',
  }),
  'container.build.commands': key(
    names,
    [],
    'Commands that the build runs as root where there is no script.',
    { trust: 'harmless' },
  ),
  'container.build.compression': unset(
    text(/^[a-z0-9]+$/, 'a compression such as "zstd" or "none"'),
    'Compression of the built image.',
    { trust: 'harmless' },
  ),
  'container.build.agents': key(
    list(filled(text(anyName, 'the name of an agent'))),
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
    'Names of variables that sessions get from the environment of coi.',
    { merge: 'union', trust: 'approve' },
  ),
  'defaults.environment': key(variables, {}, 'Variables that sessions get.', {
    merge: 'keywise',
    trust: 'environment',
  }),
  'defaults.env_commands': key(
    named(text(), variable, 'name for a variable'),
    {},
    'Variables that get the output of a command of the host.',
    { merge: 'keywise', trust: 'user' },
  ),
  'defaults.env_command_timeout': key(durationMs, 30_000, 'Limit of each of those commands.', {
    trust: 'user',
  }),
  'defaults.profile': unset(
    text(anyName, 'the name of a profile'),
    'Profile that is used where none is named.',
    { trust: 'user' },
  ),
  'defaults.model': unset(text(), 'Model of the agent; [tool.NAME] model wins.', {
    trust: 'harmless',
  }),
  'paths.sessions_dir': key(
    path(),
    '~/.coi/sessions',
    'Kept for old files; sessions are in ~/.coi/sessions-<tool>.',
    { trust: 'user', effect: 'none' },
  ),
  'paths.storage_dir': key(path(), '~/.coi/storage', 'Kept for old files.', {
    trust: 'user',
    effect: 'none',
  }),
  'paths.logs_dir': key(
    path(),
    '~/.coi/logs',
    'Kept for old files; `coi logs` reads the journal.',
    { trust: 'user', effect: 'none' },
  ),
  'paths.preserve_workspace_path': key(
    flag,
    false,
    'Mount the workspace at its host path instead of /workspace; a linked worktree of git always is.',
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
    'Without effect: it is always incus-admin.',
    { trust: 'user', effect: 'none' },
  ),
  'incus.code_uid': key(
    integer(0, 65_534),
    1000,
    'Without effect: the agent is uid 1000 of the container, whatever the uid on the host.',
    { trust: 'harmless', effect: 'none' },
  ),
  'incus.code_user': key(
    text(/^[a-z_][a-z0-9_-]{0,31}$/, 'the name of a user'),
    'code',
    "Without effect: the agent's user in the image is code.",
    { trust: 'harmless', effect: 'none' },
  ),
  'incus.disable_shift': key(flag, false, 'Without effect: ownership is decided at the mount.', {
    merge: 'on',
    trust: 'harmless',
    effect: 'none',
  }),
  'tool.name': key(text(/^[a-z][a-z0-9_-]{0,31}$/, 'the name of a tool'), 'claude', 'The agent.', {
    trust: 'harmless',
  }),
  'tool.binary': unset(toolChars, "The agent's program, where it is not the usual one.", {
    trust: 'approve',
  }),
  'tool.permission_mode': key(
    choice('bypass', 'interactive'),
    'bypass',
    'Whether the agent asks before it acts.',
    { trust: { loosestFirst: ['bypass', 'interactive'] } },
  ),
  'tool.carry': unset(
    list(filled(agentPath)),
    'Files and directories of your agent directory (~/.claude for Claude Code) that a new session gets copies of; [] for none. Unset: what the guide lists, and what settings and instructions name there.',
    { merge: 'replace', trust: 'approve' },
  ),
  'tool.context_file': unset(
    path(),
    'Text that replaces what coi tells the agent about its surroundings.',
    { trust: 'user' },
  ),
  'tool.auto_context': key(flag, true, 'Tell the agent what surrounds it.', { trust: 'harmless' }),
  'tool.context_json': key(
    flag,
    true,
    'Without effect: the agent is told in its own file of instructions.',
    { trust: 'harmless', effect: 'none' },
  ),
  'tool.context_json_file': unset(path(), 'Without effect.', { trust: 'user', effect: 'none' }),
  'tool.pre_launch': key(names, [], 'Commands in the container before the agent starts.', {
    trust: 'user',
  }),
  'tool.claude.effort_level': unset(
    choice('low', 'medium', 'high', 'xhigh', 'max', 'auto'),
    'How hard Claude thinks.',
    { trust: 'harmless' },
  ),
  'tool.claude.model': unset(text(), 'Model of Claude.', { trust: 'harmless' }),
  'tool.codex.model': unset(text(), 'Model of Codex.', { trust: 'harmless' }),
  'tool.codex.reasoning_effort': unset(
    choice('minimal', 'low', 'medium', 'high'),
    'How hard Codex thinks.',
    { trust: 'harmless' },
  ),
  tools: key(
    named(customTool, /^[a-z][a-z0-9_-]{0,31}$/, 'name for a tool'),
    {},
    'Agents of your own, by name.',
    { merge: 'keywise', trust: 'user' },
  ),
  'shell.use_tmux': key(flag, true, 'Run the agent in tmux, so that one can detach.', {
    trust: 'harmless',
  }),
  'shell.tmux_prefix': unset(
    text(
      prefixPattern,
      'a key such as "C-a", "C-Space", "M-b" or "F12", but none that a terminal needs (C-c, C-d, C-h, C-i, C-j, C-m)',
    ),
    "Prefix of the session's tmux instead of C-b.",
    { trust: 'user' },
  ),
  'shell.tmux_mouse': unset(
    flag,
    "Whether the session's tmux takes the mouse: the wheel scrolls, what is marked is copied. Unset: as the image has it, which is no.",
    { merge: 'replace', trust: 'user' },
  ),
  'shell.clipboard': key(flag, true, 'The session may set your clipboard (OSC 52).', {
    trust: 'only-false',
  }),
  'shell.notifications': key(flag, true, 'The session may raise notifications (OSC 9, 99, 777).', {
    trust: 'only-false',
  }),
  'shell.links': key(flag, true, 'The session may show links that hide their address (OSC 8).', {
    trust: 'only-false',
  }),
  'shell.title': key(flag, true, 'The session may set the title of your terminal (OSC 0, 1, 2).', {
    trust: 'only-false',
  }),
  'timezone.mode': key(choice('host', 'fixed', 'utc'), 'host', 'Time zone of sessions.', {
    trust: 'harmless',
  }),
  'timezone.name': unset(
    text(/^[A-Za-z0-9][A-Za-z0-9_+/-]{0,63}$/, 'a time zone such as "Europe/Berlin"'),
    'The zone where the mode is fixed.',
    { trust: 'harmless' },
  ),
  'detection.gtfobins_source': unset(text(), 'Kept for old files.', {
    trust: 'user',
    effect: 'none',
  }),
  'detection.gtfobins_dir': unset(path(), 'Kept for old files.', { trust: 'user', effect: 'none' }),
  'detection.sigma_source': unset(text(), 'Kept for old files.', { trust: 'user', effect: 'none' }),
  'detection.sigma_dir': unset(path(), 'Kept for old files.', { trust: 'user', effect: 'none' }),
  'notify.command': key(
    names,
    [],
    'Program and arguments that are run on the host when a session is paused or killed.',
    { trust: 'user' },
  ),
  prompts: key(
    named(prompt, anyName, 'name for a prompt'),
    {},
    'Prompts for `coi run --prompt-name`.',
    { merge: 'keywise', trust: 'user' },
  ),
} as const;
