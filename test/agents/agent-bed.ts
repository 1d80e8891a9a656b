// A user who talks to a real agent on a terminal, and the requests that reach the provider.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Bed, makeBed } from '../bed/bed.ts';
import type { Screen } from '../bed/screen.ts';
import { homeFile } from '../lifecycle/conversation.ts';
import { openProvider, type Provider } from './provider.ts';

/** Long enough for the tool to recognise it as approved (tools/list.ts, keyTails). */
export const key = `sk-ant-api03-${'a'.repeat(80)}`;
export const image = process.env['COI_DEFAULT_IMAGE'] ?? 'coi-default';

export interface AgentBed extends AsyncDisposable {
  readonly bed: Bed;
  readonly provider: Provider;
  /** `coi shell` with the agent; resolves when its screen shows `ready`. */
  open(args?: readonly string[]): Promise<Screen>;
  /** `coi shell --background` with the agent; the name of its container. */
  start(args?: readonly string[]): Promise<string>;
  /** Sends a message, and returns the user's text in the provider's request. */
  say(screen: Screen, words: string): Promise<string>;
}

export interface AgentOptions {
  readonly tool: string;
  /** Screen content when input is possible. */
  readonly ready: RegExp;
  /** Files in the user's home. */
  readonly files?: (provider: Provider) => Readonly<Record<string, string>>;
  readonly environment?: (provider: Provider) => Readonly<Record<string, string>>;
  /** The agent asks before it acts. */
  readonly asking?: boolean;
  /** Lines of the [tool] table. */
  readonly config?: string;
  /** Monitoring is on, and the provider's silent port is reachable too. */
  readonly watched?: boolean;
}

/** Claude Code with the provider as its model. */
export const claudeOptions: AgentOptions = {
  tool: 'claude',
  ready: /bypass permissions on/,
  environment: ({ url }) => ({
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: key,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  }),
};

/** Claude Code asks for each command, in the mode that it had before there was an automatic one. */
export const askingClaude: AgentOptions = {
  ...claudeOptions,
  asking: true,
  ready: /for shortcuts/,
  files: () => ({
    '.claude/settings.json': JSON.stringify({ permissions: { defaultMode: 'default' } }),
  }),
};

/** A bed whose sessions can reach only the provider. */
export async function makeAgentBed(options: AgentOptions): Promise<AgentBed> {
  await using undo = new AsyncDisposableStack();
  const provider = undo.use(await openProvider());
  const bed = undo.use(await makeBed({ env: { COI_USE_DUMMY: '0' } }));
  const port = new URL(provider.url).port;
  homeFile(
    bed,
    '.coi/config.toml',
    `[tool]
name = "${options.tool}"
permission_mode = "${options.asking ? 'interactive' : 'bypass'}"
${options.config ?? ''}
[container]
image = "${image}"
[network]
mode = "allowlist"
allowed_domains = ["${provider.address}:${port}"${options.watched ? `, "${provider.address}:${provider.silentPort}"` : ''}]
[monitoring]
enabled = ${options.watched === true}
kill_grace_sec = 600
`,
  );
  for (const [path, text] of Object.entries(options.files?.(provider) ?? {}))
    homeFile(bed, path, text);
  const given = Object.entries(options.environment?.(provider) ?? {});
  const variables = given.flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const resources = undo.move();
  return {
    bed,
    provider,
    open: async (args = []) => {
      const screen = bed.screen(['shell', '--verbose', ...variables, ...args]);
      await screen.waitFor(options.ready, 60_000);
      return screen;
    },
    start: async (args = []) => {
      const result = await bed.coi(['shell', '--background', '--json', ...variables, ...args]);
      assert.equal(result.status, 0, result.stderr);
      return (JSON.parse(result.stdout) as { container: string }).container;
    },
    say: async (screen, words) => {
      screen.type(words);
      await screen.waitFor(words);
      screen.type('\r');
      const { messages } = await provider.request(words);
      await screen.waitFor(`I heard ${words}.`, 30_000);
      return messages
        .filter(({ role }) => role === 'user')
        .map(({ text }) => text)
        .join('\n');
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

export function assertContains(heard: string, words: readonly string[]): void {
  for (const word of words) assert.ok(heard.includes(word), `${word} is missing in:\n${heard}`);
}

/**
 * Resolves when the text is in Claude's conversation on the host's disk, which is a moment after the answer; rejects after
 * 20 s. Text that is not written yet is lost if Claude is killed.
 */
export async function untilStored(bed: Bed, id: string, words: string): Promise<void> {
  const directory = join(bed.user.home, '.coi/sessions-claude', id, '.claude/projects');
  await untilExists(directory);
  await new Promise<void>((resolve, reject) => {
    const watcher = watch(directory, { recursive: true }, () => look());
    const limit = setTimeout(() => {
      watcher.close();
      reject(new Error(`"${words}" was not written below ${directory}`));
    }, 20_000);
    const look = () => {
      const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
      const found = files.some(
        (name) =>
          name.endsWith('.jsonl') && readFileSync(join(directory, name), 'utf8').includes(words),
      );
      if (!found) return;
      clearTimeout(limit);
      watcher.close();
      resolve();
    };
    look();
  });
}

/** Its directory must exist. */
async function untilExists(path: string): Promise<void> {
  await new Promise<void>((resolve) => {
    const watcher = watch(dirname(path), () => look());
    const look = () => {
      if (!existsSync(path)) return;
      watcher.close();
      resolve();
    };
    look();
  });
}
