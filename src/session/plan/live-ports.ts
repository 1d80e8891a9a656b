// Ports of the host that lead into a session that runs: what `coi ports` was asked for, against what is there. Pure.
import { CoiError } from '../../errors.ts';
import { quoted } from '../../names.ts';
import { type Forwarding, portDevice, portTexts } from './ports.ts';

const loopback = '127.0.0.1';
const portMax = 65_535;

/** Parses `5173`, or `8080:3000` for port 8080 of the host and 3000 of the session. Throws `usage`. */
export function askedPort(text: string, name: string | undefined): Forwarding {
  const [, host = '', container = host] = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(text) ?? [];
  const asked = { host: Number(host), container: Number(container) };
  const isPort = (port: number) => port >= 1 && port <= portMax;
  if (!isPort(asked.host) || !isPort(asked.container))
    throw new CoiError('usage', `${quoted(text)} is no port`, {
      hint: 'For example `coi ports add 5173`, or 8080:3000 for port 8080 of the host and 3000 of the session.',
    });
  if (name !== undefined && !/^[A-Za-z][A-Za-z0-9_-]{0,31}$/.test(name))
    throw new CoiError('usage', `invalid --name ${quoted(name)}`, {
      hint: 'A name starts with a letter; letters, digits, _ and - may follow, at most 32 in all.',
    });
  return { name, listen: loopback, ...asked, added: true };
}

/** Throws `failed` where that port or name leads into the session already. */
export function withPort(before: readonly Forwarding[], asked: Forwarding): Forwarding[] {
  const same = before.find(({ host }) => host === asked.host);
  const named = before.find((one) => portDevice(one) === portDevice(asked));
  const there = same ?? named;
  if (!there) return [...before, asked];
  throw new CoiError(
    'failed',
    same
      ? `port ${asked.host} of the host leads into the session already: ${textOf(same)}`
      : `the name ${quoted(asked.name ?? '')} is taken: ${textOf(there)}`,
    { hint: `Take it away first: coi ports remove ${there.name ?? there.host}` },
  );
}

/** The one that a word names, by its name or its port of the host. Throws `failed`. */
export function portNamed(before: readonly Forwarding[], word: string): Forwarding {
  const found =
    before.find(({ name }) => name === word) ?? before.find(({ host }) => String(host) === word);
  if (found) return found;
  const known = before.map(({ name, host }) => name ?? host).join(', ');
  throw new CoiError('failed', `no port ${quoted(word)} of the host leads into the session`, {
    hint: known === '' ? 'None does.' : `These do: ${known}.`,
  });
}

/** Whose port of the host it is, from what all instances say; undefined where no session has it. */
export function sessionWith(
  sessions: readonly { readonly name: string; readonly ports: readonly Forwarding[] }[],
  port: number,
): string | undefined {
  return sessions.find(({ ports }) => ports.some(({ host }) => host === port))?.name;
}

function textOf(port: Forwarding): string {
  return portTexts([port]).join('');
}
