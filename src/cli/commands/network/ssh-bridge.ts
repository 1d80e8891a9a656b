// coi __ssh: what `coi ssh-config` tells ssh to start. Joins stdin and stdout to an ssh server that runs inside for this
// one connection, as the agent's user. The way goes through Incus, so no port is open and no network mode is in the way.
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import { passOn } from '../../../app/run-command/streams.ts';
import { userSeed } from '../../../app/ssh-directory.ts';
import { sessionOf, setEnv, withoutServer } from '../../../app/ssh-server.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { asAgent } from '../../../guest-user.ts';
import { guestScript, runnerIn } from '../../../host/install/resources.ts';
import { parseSessionId } from '../../../names.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import { ToolMissing } from '../../../session/lifecycle/secret-handover.ts';
import { guestHome, handOverIf, plainEnvironment } from '../../../session/plan/environment.ts';
import { sshPlace } from '../../../session/terminal/ssh-config.ts';
import { hostSeed, privateKey, publicKey } from '../../../session/terminal/ssh-keys.ts';
import type { App } from '../../app.ts';

const saidMax = 1000;
/** Of SIGHUP, by which ssh ends who it started. */
const hangupStatus = 129;

export function register(command: Command, app: App): void {
  command.argument('<session-id>').action((id: string) => bridge(app, parseSessionId(id)));
}

async function bridge(app: App, id: string): Promise<void> {
  const seed = userSeed(app.user.home);
  if (!seed)
    throw new CoiError('failed', `there is no key in ~/${sshPlace}`, {
      hint: '`coi ssh-config` makes one.',
    });
  const container = await sessionOf(app, id);
  const incus = await app.incus();
  const request = {
    command: runnerIn('/'),
    environment: plainEnvironment(guestHome, 'code', 'dumb'),
    cwd: '/',
    ...asAgent,
  };
  const key = { COI_SSH_HOST_KEY: privateKey(hostSeed(seed, id), id) };
  const server = ['sh', '-c', guestScript('sshd.sh'), 'coi-sshd'];
  const handed = handOverIf('sshd', key, [...server, publicKey(seed), setEnv(container)]);
  // Only told where it did not come to a connection: what the server says is what an agent may have made it say.
  let said = '';
  const stderr = new Writable({
    write: (chunk: Buffer, _, done) => {
      said = (said + chunk.toString('utf8')).slice(0, saidMax);
      done();
    },
  });
  try {
    const { name } = container;
    const status = await passOn(
      app,
      { stdin: app.io.stdin, stdout: app.io.stdout, stderr },
      (signal) => incus.execPiped(name, request, { signal }),
      handed,
    );
    if (status === 0) return;
    throw said === ''
      ? new ExitStatus(status)
      : new CoiError('session-failed', `the ssh server of ${name} ended: ${said.trim()}`);
  } catch (error) {
    if (app.signal.aborted) throw new ExitStatus(hangupStatus);
    if (error instanceof ToolMissing) throw withoutServer(container);
    throw incusFailure(error, `reaching ${container.name} failed`);
  }
}
