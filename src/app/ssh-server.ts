// The ssh server in a session, started for one connection.
import { CoiError } from '../errors.ts';
import { keys } from '../instance-keys.ts';
import { sshAgentDevice, sshAgentSocket } from '../session/lifecycle/ssh-agent.ts';
import { guestHome, plainEnvironment } from '../session/plan/environment.ts';
import { portVariables, recordedPorts } from '../session/plan/ports.ts';
import { guardsGit, toolVariables } from '../session/plan/tool-setup.ts';
import type { Container } from '../session/record/instance-record.ts';
import type { AppContext } from './context.ts';
import { notRunning } from './targets/named-session.ts';
import { ownContainers } from './targets/user-containers.ts';

/** The caller's running container of that session. Throws `session-not-found`. */
export async function runningSessionById(app: AppContext, id: string): Promise<Container> {
  const all = (await ownContainers(app, {})).filter(({ session }) => session?.session === id);
  const found = all.find(({ status }) => status === 'Running') ?? all[0];
  if (!found)
    throw new CoiError('session-not-found', `session ${id} is not running`, {
      hint: `Run \`coi shell --resume=${id}\` in its workspace to resume it; \`coi list --all\` lists saved sessions.`,
    });
  if (found.status !== 'Running') throw notRunning(found);
  return found;
}

export function sshServerMissing({ name, session, instance }: Container): CoiError {
  const image = instance.config['image.description'] || 'its image';
  const install = 'apt-get update && apt-get install -y --no-install-recommends openssh-server';
  return new CoiError(
    'tool-missing',
    `${name} has no ssh server: ${image} is older than this version of coi, or not made by coi`,
    {
      hint: session?.persistent
        ? `Install it: coi container exec ${name} -- sh -c '${install}'`
        : 'Rebuild the image (`coi build --force`), end the session and resume it.',
    },
  );
}

/** Variables for everything that ssh starts, as an argument of sshd's SetEnv. */
export function setEnvArgument({ session, instance }: Container): string {
  const { PATH = '', LANG = '', IS_SANDBOX = '' } = plainEnvironment(guestHome, 'code', '');
  const variables = {
    PATH,
    LANG,
    IS_SANDBOX,
    ...toolVariables({}, { guarded: guardsGit(session?.mounts.protect), git: [] }),
    ...portVariables(recordedPorts(instance.config[keys.ports])),
    ...(instance.devices[sshAgentDevice] ? { SSH_AUTH_SOCK: sshAgentSocket } : {}),
  };
  return Object.entries(variables)
    .filter(([, value]) => /^[\x20-\x7e]*$/.test(value))
    .map(([name, value]) => `"${name}=${value.replaceAll(/["\\]/g, '\\$&')}"`)
    .join(' ');
}
