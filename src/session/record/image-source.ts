// Which image a name means, and a create call names. Pure.
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

/** Whether a name means an image of an Incus remote, as in `images:debian/13`. */
export function isRemoteImage(name: string): boolean {
  return name.includes(':') && !name.startsWith('local:');
}
