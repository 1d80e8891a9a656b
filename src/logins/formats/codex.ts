// Codex: `tokens` and `last_refresh` of auth.json. OpenAI's tokens are JSON Web Tokens that name the account; the
// account counts as confirmed once the provider has accepted the access token.
import {
  claimsOf,
  type Identity,
  jsonIn,
  jsonText,
  type Login,
  type LoginFile,
  type Logins,
  nameIn,
  objectIn,
  type Question,
  stringIn,
  timeIn,
  tokenIn,
  withoutUndefined,
} from './login.ts';

const id = 'chatgpt';
const keyId = 'api-key';

export const codexLogin: LoginFile = {
  tool: 'codex',
  path: '.codex/auth.json',
  lifeMaxMs: 40 * 86_400_000,
  read: ({ main }) => {
    const file = jsonIn(main);
    const logins = new Map<string, Login>();
    const blank = new Set<string>();
    const key = tokenIn(file?.['OPENAI_API_KEY']);
    if (key !== '') logins.set(keyId, staticKey(key));
    const tokens = objectIn(file?.['tokens']);
    if (!file || !tokens) return { logins, blank };
    const [access, refresh] = [tokenIn(tokens['access_token']), tokenIn(tokens['refresh_token'])];
    if (access === '' || refresh === '') blank.add(id);
    else {
      const renewedMs = Date.parse(String(file['last_refresh']));
      logins.set(id, {
        ...openaiLogin(id, access, refresh, tokenIn(tokens['id_token'])),
        ...(openaiEnd(access) === undefined && { expiresMs: renewedMs || 0 }),
        value: withoutUndefined({
          tokens: withoutUndefined({
            id_token: tokenIn(tokens['id_token']) || undefined,
            access_token: access,
            refresh_token: refresh,
            account_id: stringIn(tokens['account_id']),
          }),
          last_refresh: stringIn(file['last_refresh']),
          auth_mode: stringIn(file['auth_mode']),
        }),
      });
    }
    return { logins, blank } satisfies Logins;
  },
  put: (text, { value }) => jsonText({ OPENAI_API_KEY: null, ...jsonIn(text), ...value }),
  drop: (text, dropped) => {
    const { tokens: _, last_refresh: __, ...rest } = jsonIn(text) ?? {};
    return jsonText(dropped === id ? rest : { ...jsonIn(text), OPENAI_API_KEY: null });
  },
  question: ({ id: which, access }) => (which === id ? openaiQuestion(access) : undefined),
};

function staticKey(key: string): Login {
  return {
    id: keyId,
    access: key,
    refresh: '',
    expiresMs: Number.MAX_SAFE_INTEGER,
    account: undefined,
    name: undefined,
    value: { OPENAI_API_KEY: key },
  };
}

export function openaiLogin(login: string, access: string, refresh: string, idToken = ''): Login {
  const found = openaiIdentity(access);
  return {
    id: login,
    access,
    refresh,
    expiresMs: openaiEnd(access) ?? 0,
    account: found?.account,
    name: nameIn(claimsOf(idToken)?.['email']) ?? found?.name,
    value: {},
  };
}

/** The token itself names its account; that the provider accepts it proves its signature. */
export function openaiQuestion(access: string): Question | undefined {
  const found = openaiIdentity(access);
  return (
    found && {
      url: 'https://chatgpt.com/backend-api/wham/usage',
      headers: {
        authorization: `Bearer ${access}`,
        'chatgpt-account-id': found.account.split(' ')[1] ?? '',
      },
      read: () => found,
    }
  );
}

function openaiIdentity(access: string): Identity | undefined {
  const claims = claimsOf(access);
  const own = objectIn(claims?.['https://api.openai.com/auth']);
  const account = stringIn(own?.['chatgpt_account_id']);
  const user = stringIn(own?.['chatgpt_user_id']) ?? stringIn(own?.['user_id']) ?? '';
  if (account === undefined) return undefined;
  const email = objectIn(claims?.['https://api.openai.com/profile'])?.['email'];
  return { account: `${user} ${account}`, name: nameIn(email) };
}

function openaiEnd(access: string): number | undefined {
  const end = claimsOf(access)?.['exp'];
  return timeIn(typeof end === 'number' ? end * 1000 : undefined);
}
