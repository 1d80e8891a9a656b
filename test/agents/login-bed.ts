// A user of Claude Code who is logged in at the provider of login-provider.ts, and the contents of their login files.
import { randomUUID } from 'node:crypto';
import { readFileSync, watch, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Bed, makeBed } from '../bed/bed.ts';
import { type CommandResult, mustRun, type RunningCommand } from '../bed/command.ts';
import type { Screen } from '../bed/screen.ts';
import { homeFile } from '../lifecycle/conversation.ts';
import { image } from './agent-bed.ts';
import type { ProviderAccount } from './login-protocol.ts';
import { type LoginProvider, openLoginProvider, providerNames } from './login-provider.ts';

export interface LoginBed extends AsyncDisposable {
  readonly bed: Bed;
  readonly provider: LoginProvider;
  readonly mine: ProviderAccount;
  /** Runs one prompt for Claude in a new session to its end. */
  prompt(words: string, args?: readonly string[]): Promise<CommandResult>;
  startPrompt(words: string, args?: readonly string[]): RunningCommand;
  /** `coi shell`; resolves when Claude waits for input. */
  open(args?: readonly string[]): Promise<Screen>;
  say(screen: Screen, words: string): Promise<void>;
  /** Writes the user's file as after a renewal on the host. */
  renewed(): Promise<string>;
  /** Writes a file of a session as its container could. */
  asAgent(session: string, path: string, text: string): Promise<void>;
  /** The path of a file of a session. */
  inStore(session: string, path: string): string;
}

export const credentials = '.claude/.credentials.json';
const hourMs = 3_600_000;
/** Nothing listens here. */
const nowhere = 'http://127.0.0.1:9';
const waitMs = 30_000;

export function accountNamed(name: string): ProviderAccount {
  return {
    uuid: randomUUID(),
    organization: randomUUID(),
    email: `${name}@example.org`,
    access: `sk-ant-oat01-${name}`,
    refresh: `sk-ant-ort01-${name}`,
  };
}

/** Claude's file with that login, and a login of an MCP server that no other session has. */
export function credentialsText(
  { access, refresh }: Pick<ProviderAccount, 'access' | 'refresh'>,
  expiresMs: number,
  mcp: object = { 'my-server': { accessToken: 'of an MCP server' } },
): string {
  return JSON.stringify({
    mcpOAuth: mcp,
    claudeAiOauth: {
      accessToken: access,
      refreshToken: refresh,
      expiresAt: expiresMs,
      scopes: ['user:inference', 'user:profile'],
      subscriptionType: 'max',
      rateLimitTier: 'default_claude_max_5x',
    },
  });
}

export function accountText({ uuid, organization, email }: ProviderAccount): string {
  const oauthAccount = {
    accountUuid: uuid,
    organizationUuid: organization,
    emailAddress: email,
    billingType: 'stripe_subscription',
    ccOnboardingFlags: { kept: true },
  };
  return JSON.stringify({ oauthAccount, hasCompletedOnboarding: true, projects: { '/x': {} } });
}

interface LoginBedOptions {
  /** Time until the user's access token expires; negative if it has expired. */
  readonly hours?: number;
  readonly tool?: 'claude' | 'pi';
  /** False: coi cannot reach the provider. */
  readonly reachable?: boolean;
}

export async function makeLoginBed(options: LoginBedOptions = {}): Promise<LoginBed> {
  const { hours = 8, reachable = true, tool = 'claude' } = options;
  await using undo = new AsyncDisposableStack();
  const provider = undo.use(await openLoginProvider());
  const environment = { COI_TEST_LOGIN_URL: reachable ? provider.url : nowhere };
  const bed = undo.use(
    await makeBed({ env: { COI_USE_DUMMY: '0', ...environment }, coidEnv: environment }),
  );
  const mine = accountNamed('mine');
  await provider.add(mine);
  const files = filesOf[tool](mine, Date.now() + hours * hourMs);
  for (const [path, text] of Object.entries(files)) homeFile(bed, path, text);
  homeFile(
    bed,
    '.coi/config.toml',
    `[tool]
name = "${tool}"
[container]
image = "${image}"
[network]
mode = "allowlist"
allowed_domains = ["${provider.address}"]
[[network.hosts]]
ip = "${provider.address}"
hostnames = [${providerNames.map((name) => `"${name}"`).join(', ')}]
[monitoring]
enabled = false
`,
  );
  // Exists so that it can be watched.
  homeFile(bed, '.coi/logins/lock', '');
  const certificate = 'provider.pem';
  writeFileSync(join(bed.workspace.path, certificate), provider.certificate, { mode: 0o644 });
  const variables = [
    ...['--env', `NODE_EXTRA_CA_CERTS=/workspace/${certificate}`],
    ...['--env', 'CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1'],
  ];
  const resources = undo.move();
  const startPrompt: LoginBed['startPrompt'] = (words, args = []) =>
    bed.startCoi(['run', ...variables, ...args, '--prompt', words], { limitMs: 120_000 });
  return {
    bed,
    provider,
    mine,
    startPrompt,
    prompt: (words, args) => startPrompt(words, args).result,
    open: async (args = []) => {
      const screen = bed.screen(['shell', '--verbose', ...variables, ...args]);
      await screen.waitFor(ready[tool], 60_000);
      return screen;
    },
    say: async (screen, words) => {
      screen.type(words);
      await screen.waitFor(words);
      screen.type('\r');
      await screen.waitFor(`I heard ${words}.`, waitMs);
    },
    renewed: async () => {
      const body = JSON.stringify({ grant_type: 'refresh_token', refresh_token: mine.refresh });
      const response = await fetch(`${provider.url}/v1/oauth/token`, { method: 'POST', body });
      const given = (await response.json()) as { access_token: string; refresh_token: string };
      const pair = { access: given.access_token, refresh: given.refresh_token };
      return credentialsText(pair, Date.now() + 8 * hourMs);
    },
    asAgent: async (session, path, text) => {
      const file = join(bed.user.home, '.coi/sessions-claude', session, path);
      await mustRun(bed.user.argv(['tee', file]), { input: text, env: bed.user.env });
    },
    inStore: (session, path) => join(bed.user.home, `.coi/sessions-${tool}`, session, path),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

const ready = { claude: /bypass permissions on/, pi: /%\/\d/ };

/** The login files of a user of the tool with that account. */
const filesOf = {
  claude: (mine: ProviderAccount, endMs: number) => ({
    [credentials]: credentialsText(mine, endMs),
    '.claude.json': accountText(mine),
  }),
  pi: ({ access, refresh }: ProviderAccount, endMs: number) => ({
    '.pi/agent/auth.json': JSON.stringify({
      anthropic: { type: 'oauth', access, refresh, expires: endMs },
      openai: { type: 'api_key', key: 'sk-of-openai' },
    }),
    '.pi/agent/settings.json': JSON.stringify({
      defaultProvider: 'anthropic',
      defaultModel: 'claude-sonnet-4-5',
    }),
  }),
};

/** The access token in one of Claude's files. */
export function tokenIn(path: string): string | undefined {
  try {
    const file = JSON.parse(readFileSync(path, 'utf8')) as {
      claudeAiOauth?: { accessToken?: string };
    };
    return file.claudeAiOauth?.accessToken;
  } catch {
    return undefined;
  }
}

/** Resolves when the file meets the condition; rejects after half a minute. */
export function untilFile(
  path: string,
  is: (path: string) => boolean,
  what: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      watcher.close();
      reject(new Error(`${what}: ${path} has the token ${tokenIn(path)}`));
    }, waitMs);
    const look = () => {
      if (!is(path)) return;
      clearTimeout(limit);
      watcher.close();
      resolve();
    };
    const watcher = watch(dirname(path), look);
    look();
  });
}

export function untilToken(path: string, token: string): Promise<void> {
  return untilFile(path, (file) => tokenIn(file) === token, `has the token ${token}`);
}
