// Port forwards of a running session, as `coi ports` changes them. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { type Forwarding, portDevice, portTexts } from './ports.ts';

const loopback = '127.0.0.1';
const portMax = 65_535;

/** Parses `5173`, or `8080:3000` for host port 8080 and session port 3000. Throws `usage`. */
export function parsePortForward(text: string, name: string | undefined): Forwarding {
  const [, host = '', container = host] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text) ?? [];
  const asked = { host: Number(host), container: Number(container) };
  const isPort = (port: number) => port >= 1 && port <= portMax;
  if (!isPort(asked.host) || !isPort(asked.container))
    throw new CoiError('usage', `${quoted(text)} is not a port`, {
      hint: 'Use for example `coi ports add 5173`, or 8080:3000 for host port 8080 and session port 3000.',
    });
  if (name !== undefined && !/^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(name))
    throw new CoiError('usage', `invalid --name ${quoted(name)}`, {
      hint: 'Start with a letter, then use letters, digits, _ and -, at most 32 characters.',
    });
  return { name, listen: loopback, ...asked, added: true };
}

/** Throws `failed` if that host port or name is already in use in the session. */
export function addPort(before: readonly Forwarding[], asked: Forwarding): Forwarding[] {
  const same = before.find(({ host }) => host === asked.host);
  const named = before.find((one) => portDevice(one) === portDevice(asked));
  const there = same ?? named;
  if (!there) return [...before, asked];
  throw new CoiError(
    'failed',
    same
      ? `host port ${asked.host} is already forwarded to the session: ${describePort(same)}`
      : `the name ${quoted(asked.name ?? '')} is taken: ${describePort(there)}`,
    { hint: `Remove it first: coi ports remove ${there.name ?? there.host}` },
  );
}

/** Finds a forward by its name or host port. Throws `failed`. */
export function findPort(before: readonly Forwarding[], word: string): Forwarding {
  const found =
    before.find(({ name }) => name === word) ?? before.find(({ host }) => String(host) === word);
  if (found) return found;
  const known = before.map(({ name, host }) => name ?? host).join(', ');
  throw new CoiError('failed', `no host port ${quoted(word)} is forwarded to the session`, {
    hint: known === '' ? 'Run `coi ports add` to forward one.' : `Use one of: ${known}.`,
  });
}

/** The session that uses a host port; undefined if there is none. */
export function sessionUsingPort(
  sessions: readonly { readonly name: string; readonly ports: readonly Forwarding[] }[],
  port: number,
): string | undefined {
  return sessions.find(({ ports }) => ports.some(({ host }) => host === port))?.name;
}

function describePort(port: Forwarding): string {
  return portTexts([port]).join('');
}
