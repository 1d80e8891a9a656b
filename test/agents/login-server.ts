// A login provider with accounts and rotating tokens: each refresh token is valid once, as with the real ones.
// Answers Claude Code like platform.claude.com and api.anthropic.com, and reports its requests.
// Runs in the namespace that login-provider.ts makes.
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { FromLoginServer, ToLoginServer } from './login-protocol.ts';
import { answerMessages } from './messages.ts';

const [, , address = '', certificate = '', key = ''] = process.argv;

interface Account {
  readonly uuid: string;
  readonly organization: string;
  readonly email: string;
  readonly access: Set<string>;
  refresh: string;
}

const accounts: Account[] = [];
let tokens = 0;
let lifeS = 28_800;
/** Renewals are answered once that many are waiting. */
let together = 1;
const waiting: (() => void)[] = [];

const listen = (request: IncomingMessage, response: ServerResponse) => {
  void answer(request, response).catch((error: unknown) => {
    response.writeHead(500).end(String(error));
  });
};
const tls = createTls({ cert: readFileSync(certificate), key: readFileSync(key) }, listen);
const plain = createHttp(listen);
tls.listen(443, address, () => plain.listen(80, address, () => report({ kind: 'ready' })));

process.on('message', (message: ToLoginServer) => {
  switch (message.kind) {
    case 'account': {
      const { uuid, organization, email, access, refresh } = message;
      accounts.push({ uuid, organization, email, refresh, access: new Set([access]) });
      break;
    }
    case 'expire':
      for (const account of accounts) account.access.clear();
      break;
    case 'settings':
      lifeS = message.lifeS ?? lifeS;
      together = message.together ?? together;
      break;
    default:
      message satisfies never;
  }
  report({ kind: 'done' });
});
process.on('disconnect', () => process.exit(0));

function report(message: FromLoginServer): void {
  process.send?.(message);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = Buffer.concat(chunks).toString('utf8');
  const path = request.url?.split('?')[0] ?? '';
  const token = String(request.headers.authorization ?? '').replace(/^Bearer /, '');
  const account = accounts.find(({ access }) => access.has(token));
  if (path === '/v1/oauth/token')
    return renew(JSON.parse(body) as { refresh_token: string }, response);
  if (path === '/api/oauth/profile') {
    report({ kind: 'asked', what: 'profile', token, refused: !account });
    return account ? send(response, 200, profile(account)) : refuse(response);
  }
  if (request.method === 'POST' && path === '/v1/messages') {
    report({ kind: 'asked', what: 'messages', token, refused: !account });
    if (account) answerMessages(body, response);
    else refuse(response);
    return;
  }
  send(response, 200, {});
}

/** The presented token is invalid from here on, even if the answer is lost. */
async function renew(
  { refresh_token: shown }: { refresh_token: string },
  response: ServerResponse,
) {
  const account = accounts.find(({ refresh }) => refresh === shown);
  report({ kind: 'asked', what: 'renewal', token: shown, refused: !account });
  if (!account) {
    await untilEnoughWait();
    send(response, 400, { error: 'invalid_grant', error_description: 'Refresh token not found' });
    return;
  }
  tokens += 1;
  account.refresh = `sk-ant-ort01-renewed-${tokens}`;
  const access = `sk-ant-oat01-renewed-${tokens}`;
  account.access.add(access);
  await untilEnoughWait();
  send(response, 200, {
    token_type: 'Bearer',
    access_token: access,
    refresh_token: account.refresh,
    expires_in: lifeS,
    scope: 'user:inference user:profile',
    account: { uuid: account.uuid, email_address: account.email },
    organization: { uuid: account.organization },
  });
}

/** Resolves when as many renewals wait as the test wants at the same time. */
async function untilEnoughWait(): Promise<void> {
  await new Promise<void>((resolve) => {
    waiting.push(resolve);
    if (waiting.length >= together) for (const go of waiting.splice(0)) go();
  });
}

function profile({ uuid, organization, email }: Account) {
  return {
    account: { uuid, email, full_name: 'A Person', display_name: 'A', has_claude_max: true },
    organization: {
      uuid: organization,
      organization_type: 'claude_max',
      rate_limit_tier: 'default_claude_max_5x',
    },
  };
}

function refuse(response: ServerResponse): void {
  send(response, 401, {
    type: 'error',
    error: { type: 'authentication_error', message: 'OAuth token has expired.' },
  });
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
