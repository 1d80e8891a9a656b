// opencode and pi: auth.json has an entry for each provider, an OAuth login or a key. Each entry is synced separately.
import { anthropicQuestion } from './claude.ts';
import { openaiLogin, openaiQuestion } from './codex.ts';
import {
  type Json,
  jsonIn,
  jsonText,
  type Login,
  type LoginFile,
  nameIn,
  objectIn,
  type Question,
  stringIn,
  timeIn,
  tokenIn,
} from './login.ts';

/** More than there are. A limit, because each is remembered and an agent may write any number. */
const providersMax = 50;

export const opencodeLogin: LoginFile = byProvider('opencode', '.local/share/opencode/auth.json');
export const piLogin: LoginFile = byProvider('pi', '.pi/agent/auth.json');

function byProvider(tool: string, path: string): LoginFile {
  return {
    tool,
    path,
    lifeMaxMs: 40 * 86_400_000,
    read: ({ main }) => {
      const logins = new Map<string, Login>();
      const blank = new Set<string>();
      const named = Object.entries(jsonIn(main) ?? {}).filter(([id]) => nameIn(id) === id);
      for (const [id, entry] of named.slice(0, providersMax)) {
        const own = objectIn(entry);
        const login = own && loginOf(id, own);
        if (login) logins.set(id, login);
        else blank.add(id);
      }
      return { logins, blank };
    },
    put: (text, { id, value }) => jsonText({ ...jsonIn(text), [id]: value }),
    drop: (text, id) => {
      const { [id]: _, ...rest } = jsonIn(text) ?? {};
      return jsonText(rest);
    },
    withExpiry: (login, expiresMs) => ({
      ...login,
      expiresMs,
      value: { ...login.value, expires: expiresMs },
    }),
    question: ({ id, access }) => questionOf(id, access),
  };
}

function loginOf(id: string, own: Json): Login | undefined {
  if (own['type'] !== 'oauth') {
    const key = tokenIn(own['key']) || tokenIn(own['token']);
    // In pi a key may be a shell command. It is shared only from the user's own file, so it counts as a key.
    const text = key || stringIn(own['key']);
    return text === undefined ? undefined : plain(id, text, own);
  }
  const [access, refresh] = [tokenIn(own['access']), tokenIn(own['refresh'])];
  if (refresh === '') return undefined;
  const known = isOpenai(id) ? openaiLogin(id, access, refresh) : plain(id, access, own);
  const expires = own['expires'];
  return {
    ...known,
    refresh,
    expiresMs: timeIn(expires) ?? 0,
    value: Object.fromEntries(
      Object.entries(own).filter(([, value]) => typeof value !== 'object' || value === null),
    ),
  };
}

function plain(id: string, access: string, value: Json): Login {
  return {
    id,
    access,
    refresh: '',
    expiresMs: Number.MAX_SAFE_INTEGER,
    account: undefined,
    name: undefined,
    value,
  };
}

function isOpenai(id: string): boolean {
  return id === 'openai' || id === 'openai-codex';
}

function questionOf(id: string, access: string): Question | undefined {
  if (access === '') return undefined;
  if (id === 'anthropic') return anthropicQuestion(access);
  return isOpenai(id) ? openaiQuestion(access) : undefined;
}
