// SSH keys for sessions. Only one secret is stored: the user's key. Each session's host key is derived from it, so it is
// the same in every container of the session and need not be stored. File format: PROTOCOL.key of OpenSSH.
import { createPrivateKey, createPublicKey, hkdfSync } from 'node:crypto';

const seedBytes = 32;
const algorithm = 'ssh-ed25519';
const magic = 'openssh-key-v1\0';
/** The PKCS #8 header of a 32-byte private key (RFC 8410). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex');
const [begin, end] = ['-----BEGIN OPENSSH PRIVATE KEY-----', '-----END OPENSSH PRIVATE KEY-----'];
const blockBytes = 8;
const lineLength = 70;

/** The seed of a session's host key. It reveals neither the user's key nor that of another session. */
export function hostSeed(userSeed: Buffer, session: string): Buffer {
  return Buffer.from(hkdfSync('sha256', userSeed, '', `coi ssh host key ${session}`, seedBytes));
}

/** `ssh-ed25519 BASE64`. */
export function publicKey(seed: Buffer): string {
  return `${algorithm} ${publicBlob(seed).toString('base64')}`;
}

/** A key file without a passphrase. */
export function privateKey(seed: Buffer, comment: string): string {
  const blob = publicBlob(seed);
  const point = blob.subarray(-seedBytes);
  // Two equal numbers, which would reveal a wrong passphrase.
  const check = Buffer.alloc(8);
  const secret = Buffer.concat([
    ...[check, field(algorithm), field(point)],
    ...[field(Buffer.concat([seed, point])), field(comment)],
  ]);
  const missing = (blockBytes - (secret.length % blockBytes)) % blockBytes;
  const padding = Buffer.from(Array.from({ length: missing }, (_, index) => index + 1));
  const count = Buffer.from([0, 0, 0, 1]);
  const whole = Buffer.concat([
    ...[Buffer.from(magic), field('none'), field('none'), field(''), count],
    ...[field(blob), field(Buffer.concat([secret, padding]))],
  ]).toString('base64');
  const lines = whole.match(new RegExp(`.{1,${lineLength}}`, 'g')) ?? [];
  return [begin, ...lines, end, ''].join('\n');
}

/** The seed in a key file of `privateKey`; undefined if it contains anything else. */
export function parseSeed(text: string): Buffer | undefined {
  const [, base64] = new RegExp(`^${begin}\\n([A-Za-z0-9+/=\\n]+)\\n${end}\\n?$`).exec(text) ?? [];
  const whole = Buffer.from(base64 ?? '', 'base64');
  const at = whole.indexOf(field(algorithm), whole.length - seedBytes * 6);
  for (let from = at; from >= 0; from = whole.indexOf(field(algorithm), from + 1)) {
    const secretAt = from + field(algorithm).length + 4 + seedBytes + 4;
    const seed = whole.subarray(secretAt, secretAt + seedBytes);
    // The private part repeats the public key, which verifies the seed.
    const point = whole.subarray(secretAt + seedBytes, secretAt + 2 * seedBytes);
    if (seed.length === seedBytes && publicBlob(seed).subarray(-seedBytes).equals(point))
      return seed;
  }
  return undefined;
}

function publicBlob(seed: Buffer): Buffer {
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8Head, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const point = createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(-seedBytes);
  return Buffer.concat([field(algorithm), field(point)]);
}

function field(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
