// Claude Code: the login is `claudeAiOauth` of .credentials.json, the account `oauthAccount` of .claude.json. Other
// keys of the first are logins of MCP servers, which are not synced. Claude Code blanks a login that the provider
// refused.
import {
  type Identity,
  type Json,
  jsonIn,
  jsonText,
  type Login,
  type LoginFile,
  nameIn,
  objectIn,
  stringIn,
  timeIn,
  tokenIn,
  withoutUndefined,
} from './login.ts';

const id = 'claude.ai';

export const claudeLogin: LoginFile = {
  tool: 'claude',
  path: '.claude/.credentials.json',
  lifeMaxMs: 2 * 86_400_000,
  account: {
    host: '.claude.json',
    store: '.claude/.claude.json',
    lock: { name: '.claude.json.lock', staleMs: 10_000 },
  },
  read: ({ main, account }) => {
    const own = objectIn(jsonIn(main)?.['claudeAiOauth']);
    const access = tokenIn(own?.['accessToken']);
    const profile = objectIn(jsonIn(account)?.['oauthAccount']);
    const named = identity(
      profile?.['accountUuid'],
      profile?.['organizationUuid'],
      profile?.['emailAddress'],
    );
    const about = { account: named.account, profile: profile && profileOf(profile) };
    if (!own || access === '')
      return { logins: new Map(), blank: new Set(own ? [id] : []), ...about };
    const login: Login = {
      id,
      access,
      refresh: tokenIn(own['refreshToken']),
      expiresMs: timeIn(own['expiresAt']) ?? Number.MAX_SAFE_INTEGER,
      ...named,
      value: loginFields(own),
      profile: about.profile,
    };
    return { logins: new Map([[id, login]]), blank: new Set(), ...about };
  },
  put: (text, { value }) => jsonText({ ...jsonIn(text), claudeAiOauth: value }),
  drop: (text) => {
    const { claudeAiOauth: _, ...rest } = jsonIn(text) ?? {};
    return jsonText(rest);
  },
  putProfile: (text, profile) => jsonText({ ...jsonIn(text), oauthAccount: profile }),
  withExpiry: (login, expiresMs) => ({
    ...login,
    expiresMs,
    value: { ...login.value, expiresAt: expiresMs },
  }),
  lock: { name: '.oauth_refresh.lock', ofDirectory: true, staleMs: 10_000, earlyMs: 300_000 },
  question: ({ access }) => anthropicQuestion(access),
};

/** Asks for the account of an Anthropic access token. */
export function anthropicQuestion(access: string) {
  return {
    url: 'https://api.anthropic.com/api/oauth/profile',
    headers: { authorization: `Bearer ${access}`, 'content-type': 'application/json' },
    read: (body: Json): Identity | undefined => {
      const account = objectIn(body['account']);
      const organization = objectIn(body['organization']);
      const found = identity(account?.['uuid'], organization?.['uuid'], account?.['email']);
      return found.account === undefined ? undefined : { ...found, account: found.account };
    },
  };
}

/** One person may have a login for each of several organizations. */
function identity(account: unknown, organization: unknown, email: unknown) {
  const [uuid, of] = [stringIn(account), stringIn(organization)];
  return { account: uuid === undefined ? undefined : `${uuid} ${of ?? ''}`, name: nameIn(email) };
}

/** The fields that Claude Code writes, and nothing else that an agent added. */
function loginFields(own: Json): Json {
  const { scopes } = own;
  return withoutUndefined({
    accessToken: tokenIn(own['accessToken']),
    refreshToken: own['refreshToken'] === null ? null : tokenIn(own['refreshToken']),
    expiresAt: timeIn(own['expiresAt']) ?? null,
    scopes: Array.isArray(scopes) ? scopes.filter((one) => stringIn(one) !== undefined) : [],
    subscriptionType: stringIn(own['subscriptionType']) ?? null,
    rateLimitTier: stringIn(own['rateLimitTier']) ?? null,
    clientId: stringIn(own['clientId']),
  });
}

/** The scalar fields of an account; nested objects are not part of the login. */
function profileOf(profile: Json): Json {
  return Object.fromEntries(
    Object.entries(profile).filter(([, value]) => typeof value !== 'object' || value === null),
  );
}
