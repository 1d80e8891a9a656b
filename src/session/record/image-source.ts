// Which image a create call names. Pure.
import type { CreateInstance } from '../../incus/shapes.ts';
import type { SessionWish } from '../plan/session-wish.ts';

export function imageSource({
  image,
  fingerprint,
}: Pick<SessionWish, 'image' | 'fingerprint'>): CreateInstance['source'] {
  return fingerprint === undefined
    ? { type: 'image', alias: image }
    : { type: 'image', fingerprint };
}
