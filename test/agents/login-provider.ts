// A login provider in a namespace, with certificates for the real host names: no request of an agent or coi leaves
// the host.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mustRun } from '../bed/command.ts';
import { openEnclave } from '../bed/enclave.ts';
import type {
  FromLoginServer,
  LoginRequest,
  ProviderAccount,
  ToLoginServer,
} from './login-protocol.ts';

/** The host names that Claude Code contacts. */
export const providerNames = ['platform.claude.com', 'api.anthropic.com'] as const;

export interface LoginProvider extends AsyncDisposable {
  readonly address: string;
  /** For COI_TEST_LOGIN_URL. */
  readonly url: string;
  /** Certificate authority that signed its certificate. */
  readonly certificate: string;
  readonly requests: readonly LoginRequest[];
  /** An account with one pair of tokens. */
  add(account: ProviderAccount): Promise<void>;
  /** Refuses all access tokens issued so far. */
  expire(): Promise<void>;
  set(settings: { lifeS?: number; together?: number }): Promise<void>;
  /** Renewals, as `token` or `token refused`. */
  renewals(): string[];
}

export async function openLoginProvider(): Promise<LoginProvider> {
  await using undo = new AsyncDisposableStack();
  const enclave = undo.use(await openEnclave());
  const directory = mkdtempSync(join(tmpdir(), 'coit-provider-'));
  undo.defer(() => rmSync(directory, { recursive: true }));
  chmodSync(directory, 0o755);
  const [certificate, key] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  await mustRun([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    ...['-nodes', '-days', '2', '-subj', '/CN=stand-in', '-keyout', key, '-out', certificate],
    ...['-addext', `subjectAltName=${providerNames.map((name) => `DNS:${name}`).join(',')}`],
  ]);
  const script = fileURLToPath(new URL('login-server.ts', import.meta.url));
  const child: ChildProcess = spawn(
    'ip',
    [
      ...['netns', 'exec', enclave.namespace, process.execPath, script],
      ...[enclave.address, certificate, key],
    ],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  );
  undo.defer(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, 'exit');
  });
  const requests: LoginRequest[] = [];
  const waiting: (() => void)[] = [];
  const answered = () => new Promise<void>((resolve) => waiting.push(resolve));
  const ready = answered();
  child.on('message', (message: FromLoginServer) => {
    if (message.kind === 'asked') requests.push(message);
    else waiting.shift()?.();
  });
  await Promise.race([
    ready,
    once(child, 'exit').then(([status]) =>
      Promise.reject(new Error(`the provider ended: ${status}`)),
    ),
  ]);
  const send = async (message: ToLoginServer) => {
    const done = answered();
    child.send(message);
    await done;
  };
  const resources = undo.move();
  return {
    address: enclave.address,
    url: `http://${enclave.address}`,
    certificate: readFileSync(certificate, 'utf8'),
    requests: requests,
    add: (account) => send({ kind: 'account', ...account }),
    expire: () => send({ kind: 'expire' }),
    set: (settings) => send({ kind: 'settings', ...settings }),
    renewals: () =>
      requests
        .filter(({ what }) => what === 'renewal')
        .map(({ token, refused }) => `${token}${refused ? ' refused' : ''}`),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
