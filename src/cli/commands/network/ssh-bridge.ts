// `coi __ssh`: the ProxyCommand of `coi ssh-config`. Connects stdin and stdout to an SSH server that runs in the session
// for this connection, as the agent's user. It uses Incus, so no port is open and the network mode does not matter.
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import { connectStreams } from '../../../app/run-command/streams.ts';
import { userSeed } from '../../../app/ssh-directory.ts';
import { runningSessionById, setEnvArgument, sshServerMissing } from '../../../app/ssh-server.ts';
import { CoiError, ExitStatus } from '../../../errors.ts';
import { asAgent } from '../../../guest-user.ts';
import { guestScript, runnerCommand } from '../../../host/install/resources.ts';
import { parseSessionId } from '../../../names.ts';
import { incusFailure } from '../../../session/lifecycle/incus-failure.ts';
import { ToolMissing } from '../../../session/lifecycle/secret-handover.ts';
import { guestHome, handoverTextIf, plainEnvironment } from '../../../session/plan/environment.ts';
import { sshDirectory } from '../../../session/terminal/ssh-config.ts';
import { hostSeed, privateKey, publicKey } from '../../../session/terminal/ssh-keys.ts';
import type { App } from '../../app.ts';

const stderrCharsMax = 1000;
/** 128 + SIGHUP, which ssh sends to end its ProxyCommand. */
const hangupStatus = 129;

export function register(command: Command, app: App): void {
  command.argument('<session-id>').action((id: string) => bridge(app, parseSessionId(id)));
}

async function bridge(app: App, id: string): Promise<void> {
  const seed = userSeed(app.user.home);
  if (!seed)
    throw new CoiError('failed', `no key in ~/${sshDirectory}`, {
      hint: 'Run `coi ssh-config` to create one.',
    });
  const container = await runningSessionById(app, id);
  const incus = await app.incus();
  const request = {
    command: runnerCommand('/'),
    environment: plainEnvironment(guestHome, 'code', 'dumb'),
    cwd: '/',
    ...asAgent,
  };
  const key = { COI_SSH_HOST_KEY: privateKey(hostSeed(seed, id), id) };
  const server = ['sh', '-c', guestScript('sshd.sh'), 'coi-sshd'];
  const handed = handoverTextIf('sshd', key, [
    ...server,
    publicKey(seed),
    setEnvArgument(container),
  ]);
  // Printed only if the connection failed: an agent may control the output of the server.
  let stderrText = '';
  const stderr = new Writable({
    write: (chunk: Buffer, _, done) => {
      stderrText = (stderrText + chunk.toString('utf8')).slice(0, stderrCharsMax);
      done();
    },
  });
  try {
    const { name } = container;
    const status = await connectStreams(
      app,
      { stdin: app.io.stdin, stdout: app.io.stdout, stderr },
      (signal) => incus.execPiped(name, request, { signal }),
      handed,
    );
    if (status === 0) return;
    throw stderrText === ''
      ? new ExitStatus(status)
      : new CoiError('session-failed', `the SSH server of ${name} exited: ${stderrText.trim()}`);
  } catch (error) {
    if (app.signal.aborted) throw new ExitStatus(hangupStatus);
    if (error instanceof ToolMissing) throw sshServerMissing(container);
    throw incusFailure(error, `reaching ${container.name} failed`);
  }
}
