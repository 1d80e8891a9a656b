// Gemini CLI: oauth_creds.json. Google's refresh tokens do not change when used, so copies do not invalidate each
// other.
import {
  claimsOf,
  jsonIn,
  jsonText,
  type LoginFile,
  nameIn,
  stringIn,
  timeIn,
  tokenIn,
} from './login.ts';

const id = 'google';

export const geminiLogin: LoginFile = {
  tool: 'gemini',
  path: '.gemini/oauth_creds.json',
  lifeMaxMs: 40 * 86_400_000,
  read: ({ main }) => {
    const file = jsonIn(main);
    if (!file) return { logins: new Map(), blank: new Set() };
    // A renewal may omit it.
    const refresh = tokenIn(file['refresh_token']);
    if (refresh === '') return { logins: new Map(), blank: new Set([id]) };
    const claims = claimsOf(tokenIn(file['id_token']));
    const login = {
      id,
      refresh,
      access: tokenIn(file['access_token']),
      expiresMs: timeIn(file['expiry_date']) ?? 0,
      account: stringIn(claims?.['sub']),
      name: nameIn(claims?.['email']),
      value: Object.fromEntries(
        Object.entries(file).filter(([, value]) => typeof value !== 'object' || value === null),
      ),
    };
    return { logins: new Map([[id, login]]), blank: new Set() };
  },
  put: (_, { value }) => jsonText(value),
  drop: () => jsonText({}),
  question: () => undefined,
};
