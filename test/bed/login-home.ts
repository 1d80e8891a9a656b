// A home with logins of Claude in it and in the stores of two sessions, and a provider that answers as a test wants.
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
import { memoryOf, storeLogins } from '../../src/logins/copies.ts';
import type { Answer } from '../../src/logins/decide.ts';
import { claudeLogin } from '../../src/logins/formats/claude.ts';
import type { Question } from '../../src/logins/formats/login.ts';
import { type KeepRequest, keepLogins } from '../../src/logins/keep.ts';

const hourMs = 3_600_000;
export const [a, b] = [
  'aaaaaaaa-1111-4111-8111-111111111111',
  'bbbbbbbb-1111-4111-8111-111111111111',
];
export const credentials = '.claude/.credentials.json';
export const me = { account: 'me us', name: 'me@example.org' };
export let home = '';
/** Access tokens that the provider was asked about. */
export let asked: string[] = [];

/** Where files run in one process, hooks of one count for the tests of all. */
let users = 0;

/** A home with a login that two sessions have as well. */
export function begin(): void {
  users += 1;
  if (users > 1) return;
  home = realpathSync(mkdtempSync(join(tmpdir(), 'coit-logins-')));
  asked = [];
  write(credentials, claude('first'));
  write('.claude.json', profile('me'));
  for (const session of [a, b]) plant(session, claude('first'));
}
export function end(): void {
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

/** What the user confirmed of that session. */
export function wantedOf(session: string) {
  using store = hostFiles.open(join(home, `.coi/sessions-claude/${session}`));
  const login = store && storeLogins(claudeLogin, store, hostFiles).logins.get('claude.ai');
  if (!login) throw new Error(`session ${session} has no login`);
  return { session, login };
}

/** Keeps, where the provider answers that for each access token. */
export function keep(
  answers: Readonly<Record<string, Answer>> = {},
  more: Partial<KeepRequest> = {},
  files = hostFiles,
  aheadMs = 0,
) {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const request = { file: claudeLogin, home, owner, live: [a, b], ended: [], ...more };
  return keepLogins(request, {
    files,
    ask: async ({ headers }: Question) => {
      const access = headers['authorization']?.replace('Bearer ', '') ?? '';
      asked.push(access);
      return answers[access] ?? 'refused';
    },
    now: () => new Date(Date.now() + aheadMs),
    whileAlone: async (effect) => effect(),
    pause: async () => undefined,
  });
}

export const reasons = () =>
  [...memoryOf(claudeLogin, home, hostFiles).values()].flatMap(({ verdicts }) =>
    verdicts.map(({ reason }) => reason),
  );
