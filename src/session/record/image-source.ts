// The image source of a create call. Pure.
import type { CreateInstance } from '../../incus/shapes.ts';
import type { SessionSpec } from '../plan/session-spec.ts';

export function imageSource({
  image,
  fingerprint,
}: Pick<SessionSpec, 'image' | 'fingerprint'>): CreateInstance['source'] {
  return fingerprint === undefined
    ? { type: 'image', alias: image }
    : { type: 'image', fingerprint };
}

/** Whether a name refers to an image of an Incus remote, such as `images:debian/13`. */
export function isRemoteImage(name: string): boolean {
  return name.includes(':') && !name.startsWith('local:');
}
