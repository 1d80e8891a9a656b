// coi __ssh: what `coi ssh-config` tells ssh to start. Joins stdin and stdout to an ssh server that runs inside for this
// one connection, as the agent's user. The way goes through Incus, so no port is open and no network mode is in the way.
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { App } from '../app.ts';
import { CoiError, ExitStatus } from '../errors.ts';
import { guestScript, runnerIn } from '../host/resources.ts';
import { parseSessionId } from '../names.ts';
import { guestHome, handOverIf, plainEnvironment } from '../session/environment.ts';
import { incusFailure } from '../session/failure.ts';
import { ToolMissing } from '../session/handover.ts';
import { portsKey, portVariables, recordedPorts } from '../session/ports.ts';
import type { Container } from '../session/record.ts';
import { agentDevice, agentSocket } from '../session/ssh-agent.ts';
import { sshPlace } from '../session/ssh-config.ts';
import { hostSeed, privateKey, publicKey } from '../session/ssh-keys.ts';
import { guardsGit, toolVariables } from '../session/tool-setup.ts';
import { ownContainers } from './containers.ts';
import { notRunning } from './named-session.ts';
import { passOn } from './pass-on.ts';
import { userSeed } from './ssh-place.ts';

const agent = { user: 1000, group: 1000 };
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
    ...agent,
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
      (signal) => incus.execPiped(name, request, { signal }),
      handed,
      { stderr },
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

/** The caller's own container of that session, and it runs. Throws `session-not-found`. */
async function sessionOf(app: App, id: string): Promise<Container> {
  const all = (await ownContainers(app, {})).filter(({ session }) => session?.session === id);
  const found = all.find(({ status }) => status === 'Running') ?? all[0];
  if (!found)
    throw new CoiError('session-not-found', `session ${id} does not run`, {
      hint: `\`coi shell --resume=${id}\` in its workspace starts it again; \`coi list --all\` lists saved sessions.`,
    });
  if (found.status !== 'Running') throw notRunning(found);
  return found;
}

function withoutServer({ name, session, instance }: Container): CoiError {
  const image = instance.config['image.description'] || 'its image';
  const install = 'apt-get update && apt-get install -y --no-install-recommends openssh-server';
  return new CoiError(
    'tool-missing',
    `${name} has no ssh server: ${image} is older than this version of coi, or another's`,
    {
      hint: session?.persistent
        ? `Install it: coi container exec ${name} -- sh -c '${install}'`
        : 'Build the image anew (`coi build --force`), end the session and resume it.',
    },
  );
}

/** Variables for everything that ssh starts, as an argument of sshd's SetEnv. */
function setEnv({ session, instance }: Container): string {
  const { PATH = '', LANG = '', IS_SANDBOX = '' } = plainEnvironment(guestHome, 'code', '');
  const variables = {
    ...{ PATH, LANG, IS_SANDBOX },
    ...toolVariables({}, { guarded: guardsGit(session?.mounts.protect), git: [] }),
    ...portVariables(recordedPorts(instance.config[portsKey])),
    ...(instance.devices[agentDevice] ? { SSH_AUTH_SOCK: agentSocket } : {}),
  };
  return Object.entries(variables)
    .filter(([, value]) => /^[\x20-\x7e]*$/.test(value))
    .map(([name, value]) => `"${name}=${value.replaceAll(/["\\]/g, '\\$&')}"`)
    .join(' ');
}
