// Lists the public keys of an SSH agent through its protocol (draft-ietf-sshm-ssh-agent), like `ssh-add -L`.
import { connect } from 'node:net';

const answerMs = 500;
const answerMaxBytes = 256 * 1024;
const requestIdentities = Buffer.from([0, 0, 0, 1, 11]);
const identitiesAnswer = 12;

/** As `type base64`, in the SSH agent's order; empty if it does not answer in time or not validly. */
export function sshAgentKeys(socketPath: string): Promise<string[]> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    let answer = Buffer.alloc(0);
    const done = (keys: string[]) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(keys);
    };
    const timer = setTimeout(() => done([]), answerMs);
    socket.once('connect', () => socket.write(requestIdentities));
    socket.once('error', () => done([])).once('end', () => done([]));
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length > answerMaxBytes) return done([]);
      if (answer.length >= 4 && answer.length >= 4 + answer.readUInt32BE(0))
        done(parseKeys(answer.subarray(4)));
    });
  });
}

/** The keys of a reply without its length field. Exported for tests. */
export function parseKeys(answer: Buffer): string[] {
  if (answer.length < 5 || answer[0] !== identitiesAnswer) return [];
  const keys: string[] = [];
  let at = 5;
  const next = (): Buffer | undefined => {
    if (at + 4 > answer.length) return undefined;
    const from = at + 4;
    const to = from + answer.readUInt32BE(at);
    if (to > answer.length) return undefined;
    at = to;
    return answer.subarray(from, to);
  };
  for (let left = answer.readUInt32BE(1); left > 0; left -= 1) {
    const blob = next();
    const comment = next();
    if (!blob || !comment || blob.length < 4) break;
    const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1');
    keys.push(`${type} ${blob.toString('base64')}`);
  }
  return keys;
}
