// Gives each running session a different expiry of the same access token, so that one renews it alone and the others
// get the new one before their own turn: of two sessions that renew at the same moment, one would lose its login. Pure.
import { createHash } from 'node:crypto';
import type { Login, LoginFile } from './formats/login.ts';

/** Longer than it takes a renewal to reach the other sessions. */
const stepMs = 5000;
const turns = 240;
/** Tools renew some minutes before the expiry: staggering must not make a renewal due. */
const marginMs = 6 * 60_000;

/** The login for that session: its expiry is never later than the real one. */
export function staggerExpiry(
  file: Pick<LoginFile, 'withExpiry'>,
  login: Login,
  session: string,
  nowMs: number,
): Login {
  const spareMs = Math.max(0, login.expiresMs - nowMs - marginMs);
  const step = Math.min(stepMs, spareMs / (2 * turns));
  const earlierMs = Math.floor(step * turnOf(session));
  const rotates = login.refresh !== '' && login.expiresMs < Number.MAX_SAFE_INTEGER;
  if (!file.withExpiry || !rotates || earlierMs === 0) return login;
  return file.withExpiry(login, login.expiresMs - earlierMs);
}

/** 1 or more; the host keeps the real expiry and so comes last. */
function turnOf(session: string): number {
  return 1 + (createHash('sha256').update(session).digest().readUInt32BE(0) % turns);
}
