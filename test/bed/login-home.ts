// A home with Claude logins in it and in two session stores, and a provider with answers from the test.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { hostFiles } from '../../src/host/fs/host-files.ts';
import { loadMemory, readStoreLogins } from '../../src/logins/copies.ts';
import type { Answer } from '../../src/logins/decide.ts';
import { claudeLogin } from '../../src/logins/formats/claude.ts';
import type { Question } from '../../src/logins/formats/login.ts';
import { runLoginSync, type SyncRequest } from '../../src/logins/sync.ts';

const hourMs = 3_600_000;
export const [a, b] = [
  'aaaaaaaa-1111-4111-8111-111111111111',
  'bbbbbbbb-1111-4111-8111-111111111111',
];
export const credentials = '.claude/.credentials.json';
export const me = { account: 'me us', name: 'me@example.org' };
export let home = '';
/** Access tokens that the provider was asked about. */
export let askedTokens: string[] = [];

/** If several test files share one process, one file's hooks run for all tests. */
let users = 0;

/** Makes a home with a login that two sessions have too. */
export function makeLoginHome(): void {
  users += 1;
  if (users > 1) return;
  home = realpathSync(mkdtempSync(join(tmpdir(), 'coit-logins-')));
  askedTokens = [];
  write(credentials, claude('first'));
  write('.claude.json', profile('me'));
  for (const session of [a, b]) plant(session, claude('first'));
}
export function removeLoginHome(): void {
  users -= 1;
  if (users === 0) rmSync(home, { recursive: true });
}

export function claude(name: string, hours = 1): string {
  const expiresAt = Math.round(Date.now() + hours * hourMs);
  return JSON.stringify({
    claudeAiOauth: { accessToken: `a-${name}`, refreshToken: `r-${name}`, expiresAt, scopes: [] },
  });
}

export function profile(account: string): string {
  const oauthAccount = { accountUuid: account, organizationUuid: 'us', flags: { kept: true } };
  return JSON.stringify({ oauthAccount, projects: { '/x': {} } });
}

export function write(path: string, text: string): void {
  mkdirSync(dirname(join(home, path)), { recursive: true });
  writeFileSync(join(home, path), text);
}

export const inStore = (session: string, path: string) => `.coi/sessions-claude/${session}/${path}`;

export function plant(session: string, text: string, account = 'me'): void {
  write(inStore(session, credentials), text);
  write(inStore(session, '.claude/.claude.json'), profile(account));
}

/** The access token in a file of the home. */
export function token(path: string): string | undefined {
  const text = existsSync(join(home, path)) ? readFileSync(join(home, path), 'utf8') : '{}';
  return JSON.parse(text).claudeAiOauth?.accessToken;
}

export const tokens = () =>
  [credentials, inStore(a, credentials), inStore(b, credentials)].map(token);

/** The login that the user confirmed for that session. */
export function confirmedLogin(session: string) {
  using store = hostFiles.open(join(home, `.coi/sessions-claude/${session}`));
  const login = store && readStoreLogins(claudeLogin, store, hostFiles).logins.get('claude.ai');
  if (!login) throw new Error(`session ${session} has no login`);
  return { session, login };
}

/** Runs the login sync with the given provider answer per access token. */
export function syncLogins(
  answers: Readonly<Record<string, Answer>> = {},
  more: Partial<SyncRequest> = {},
  files = hostFiles,
  aheadMs = 0,
) {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const request = { file: claudeLogin, home, owner, live: [a, b], ended: [], ...more };
  return runLoginSync(request, {
    files,
    ask: async ({ headers }: Question) => {
      const access = headers['authorization']?.replace('Bearer ', '') ?? '';
      askedTokens.push(access);
      return answers[access] ?? 'refused';
    },
    now: () => new Date(Date.now() + aheadMs),
    exclusively: async (effect) => effect(),
    pause: async () => undefined,
  });
}

export const reasons = () =>
  [...loadMemory(claudeLogin, home, hostFiles).values()].flatMap(({ verdicts }) =>
    verdicts.map(({ reason }) => reason),
  );
