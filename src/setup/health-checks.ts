// The checks of `coi health`: all that setup fixes, and others that only the user can judge or fix.
import type { Check } from './check.ts';
import {
  auditLogDirectory,
  configuration,
  monitoringConfiguration,
  networkMode,
  securityPosture,
  timezone,
  tool,
} from './checks/configuration.ts';
import { containerConnectivity, networkRestriction } from './checks/connectivity.ts';
import {
  apparmor,
  bridgeFirewalldZone,
  dnsResolution,
  dockerForwardPolicy,
  kernelMitigations,
  nft,
  superseded,
  ufwConflict,
} from './checks/host-health.ts';
import { incusSecurity } from './checks/incus-security.ts';
import { notices } from './checks/notices.ts';
import { distributionSupport, kernelBuildAge } from './checks/os-support.ts';
import {
  activeContainers,
  coiDirectory,
  imageAge,
  orphanedResources,
  privilegedProfile,
  savedSessions,
  sessionsDirectory,
} from './checks/resources.ts';
import { checks } from './checks.ts';
import type { HealthContext } from './health-context.ts';

export const healthChecks: readonly Check<HealthContext>[] = [
  ...checks,
  incusSecurity,
  timezone,
  privilegedProfile,
  securityPosture,
  apparmor,
  nft,
  dockerForwardPolicy,
  ufwConflict,
  bridgeFirewalldZone,
  monitoringConfiguration,
  auditLogDirectory,
  coiDirectory,
  sessionsDirectory,
  configuration,
  networkMode,
  notices,
  tool,
  activeContainers,
  savedSessions,
  orphanedResources,
  imageAge,
];

/** Run after all others, since they may start a container. */
export const sessionChecks: readonly Check<HealthContext>[] = [
  containerConnectivity,
  networkRestriction,
];

/** Run only with --verbose. */
export const verboseChecks: readonly Check<HealthContext>[] = [
  dnsResolution,
  kernelMitigations,
  kernelBuildAge,
  distributionSupport,
  ...superseded,
];
