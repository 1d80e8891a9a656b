// What a container of the user's image reaches and does not: one is started for it, and only where that was asked for.
import { type Check, type Finding, finding, ok } from '../check.ts';
import type { HealthContext, ProbeResult } from '../health-context.ts';

/** What the agent that most people use needs. */
export const probedName = 'api.anthropic.com';
/** Of each kind of network that no session may reach. */
export const forbidden = ['10.0.0.1:80', '192.168.0.1:80', '169.254.169.254:80'] as const;

const untried = ok('not tried: `coi health --verbose` starts a container for it');

export const containerConnectivity: Check<HealthContext> = {
  id: 'container_connectivity',
  title: 'Internet in sessions',
  group: 'NETWORKING',
  run: async ({ user }) => (user.probe ? connectivityFinding(await user.probe()) : untried),
};

export const networkRestriction: Check<HealthContext> = {
  id: 'network_restriction',
  title: 'Guard of the network',
  group: 'NETWORKING',
  run: async ({ user }) => (user.probe ? restrictionFinding(await user.probe()) : untried),
};

export function connectivityFinding(answer: ProbeResult): Finding {
  if (answer.kind !== 'answered') return notTried(answer);
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
    return finding('warning', `${probedName} ${what}, from this host neither`, details, {
      hint: 'Sessions reach no more of the internet than the host does.',
    });
  return finding('failed', `${probedName} ${what}, though this host reaches it`, details, {
    hint: '`sudo coi setup` lets sessions through forwarding and firewalls; see the checks above.',
  });
}

export function restrictionFinding(answer: ProbeResult): Finding {
  if (answer.kind !== 'answered') return notTried(answer);
  const { reached, hostReached } = answer;
  const details = {
    ...(hostReached === undefined ? {} : { host_blocked: !hostReached }),
    private_blocked: !reached.some((place) => /^(?:10|192)\./.test(place)),
    metadata_blocked: !reached.some((place) => place.startsWith('169.254.')),
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

function notTried(answer: Exclude<ProbeResult, { kind: 'answered' }>): Finding {
  if (answer.kind === 'no-image')
    return finding(
      'warning',
      `not tried: there is no image ${answer.image}`,
      {},
      { hint: 'coi build' },
    );
  return finding(
    'failed',
    `no container could be started: ${answer.message}`,
    {},
    { hint: answer.hint },
  );
}
