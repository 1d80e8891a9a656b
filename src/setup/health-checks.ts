// What `coi health` looks at: all that setup mends, and what only the caller can judge or mend.
import type { Check } from './check.ts';
import {
  auditLogDirectory,
  configuration,
  monitoringConfiguration,
  networkMode,
  securityPosture,
  timezone,
  tool,
} from './checks/configured.ts';
import { distributionSupport, kernelBuildAge } from './checks/freshness.ts';
import {
  apparmor,
  bridgeFirewalldZone,
  dnsResolution,
  dockerForwardPolicy,
  kernelMitigations,
  nft,
  superseded,
  ufwConflict,
} from './checks/host-more.ts';
import { incusSecurity } from './checks/incus-security.ts';
import {
  activeContainers,
  coiDirectory,
  imageAge,
  orphanedResources,
  privilegedProfile,
  savedSessions,
  sessionsDirectory,
} from './checks/kept.ts';
import { containerConnectivity, networkRestriction } from './checks/probe.ts';
import { checks } from './checks.ts';
import type { HealthGround } from './own.ts';

export const healthChecks: readonly Check<HealthGround>[] = [
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
  tool,
  activeContainers,
  savedSessions,
  orphanedResources,
  imageAge,
];

/** Looked at when all others are, since they may start a container. */
export const sessionChecks: readonly Check<HealthGround>[] = [
  containerConnectivity,
  networkRestriction,
];

/** Looked at with --verbose only. */
export const verboseChecks: readonly Check<HealthGround>[] = [
  dnsResolution,
  kernelMitigations,
  kernelBuildAge,
  distributionSupport,
  ...superseded,
];
