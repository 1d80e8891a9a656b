// What a container of the user's image can reach. Starts a container, and only on request.
import { type Check, type Finding, finding, ok } from '../check.ts';
import type { HealthContext, ProbeResult } from '../health-context.ts';

/** Needed by the agent that most people use. */
export const probedName = 'api.anthropic.com';
/** One address for each kind of network that sessions must not reach. */
export const forbiddenAddresses = ['10.0.0.1:80', '192.168.0.1:80', '169.254.169.254:80'] as const;

const notRequested = ok('not checked: `coi health --verbose` starts a container for it');

export const containerConnectivity: Check<HealthContext> = {
  id: 'container_connectivity',
  title: 'Internet access',
  group: 'NETWORKING',
  run: async ({ user }) => (user.probe ? connectivityFinding(await user.probe()) : notRequested),
};

export const networkRestriction: Check<HealthContext> = {
  id: 'network_restriction',
  title: 'Network guard',
  group: 'NETWORKING',
  run: async ({ user }) => (user.probe ? restrictionFinding(await user.probe()) : notRequested),
};

export function connectivityFinding(answer: ProbeResult): Finding {
  if (answer.kind !== 'answered') return notChecked(answer);
  const { address, connected, hostConnects, tookMs } = answer;
  const details = {
    dns_test: address !== undefined,
    http_test: connected,
    ...(address === undefined ? {} : { dns_result: address }),
    took_ms: tookMs,
  };
  if (connected) return ok(`${probedName} answers`, details);
  const what = address === undefined ? 'is not found' : 'does not answer';
  if (!hostConnects)
    return finding('warning', `${probedName} ${what}, not even from this host`, details, {
      hint: 'Check the internet connection of this host.',
    });
  return finding('failed', `${probedName} ${what}, although this host reaches it`, details, {
    hint: 'Run `sudo coi setup` to fix forwarding and firewalls; see the checks above.',
  });
}

export function restrictionFinding(answer: ProbeResult): Finding {
  if (answer.kind !== 'answered') return notChecked(answer);
  const { reached, hostReached } = answer;
  const details = {
    ...(hostReached === undefined ? {} : { host_blocked: !hostReached }),
    private_blocked: !reached.some((address) => /^(?:10|192)\./.test(address)),
    metadata_blocked: !reached.some((address) => address.startsWith('169.254.')),
    reached,
  };
  if (reached.length === 0 && !hostReached)
    return ok(
      `${hostReached === undefined ? '' : 'this host, '}private networks and the metadata service are out of reach`,
      details,
    );
  return finding(
    'failed',
    `a session reaches ${hostReached ? 'this host' : reached.join(', ')}`,
    details,
    { hint: 'Do not start sessions; see `coi daemon status` and `coi daemon logs`.' },
  );
}

function notChecked(answer: Exclude<ProbeResult, { kind: 'answered' }>): Finding {
  if (answer.kind === 'no-image')
    return finding(
      'warning',
      `not checked: the image ${answer.image} does not exist`,
      {},
      { hint: 'Run `coi build`.' },
    );
  return finding(
    'failed',
    `no container could be started: ${answer.message}`,
    {},
    { hint: answer.hint },
  );
}
