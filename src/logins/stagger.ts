// Sessions that run are told different ends of the same access token, so that the first renews it alone and the others
// get the new one before their own turn: two that renew at the same moment would make one of them lose its login. Pure.
import { createHash } from 'node:crypto';
import type { Login, LoginFile } from './formats/login.ts';

/** Longer than a renewal takes to reach the other sessions. */
const stepMs = 5000;
const turns = 240;
/** Tools renew some minutes before the end: nothing becomes due because of us. */
const leftMs = 6 * 60_000;

/** The login as that session gets it: it never ends later than it does. */
export function staggerExpiry(
  file: Pick<LoginFile, 'ending'>,
  login: Login,
  session: string,
  nowMs: number,
): Login {
  const spareMs = Math.max(0, login.expiresMs - nowMs - leftMs);
  const step = Math.min(stepMs, spareMs / (2 * turns));
  const earlierMs = Math.floor(step * turnOf(session));
  const rotates = login.refresh !== '' && login.expiresMs < Number.MAX_SAFE_INTEGER;
  if (!file.ending || !rotates || earlierMs === 0) return login;
  return file.ending(login, login.expiresMs - earlierMs);
}

/** From 1 on; the host's own comes last of all. */
function turnOf(session: string): number {
  return 1 + (createHash('sha256').update(session).digest().readUInt32BE(0) % turns);
}
