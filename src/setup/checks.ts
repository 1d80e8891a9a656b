// All requirements of a host, in the order in which setup fixes them: each depends on those before it.
import type { Check } from './check.ts';
import { idRanges, permissions } from './checks/access.ts';
import { coid, image, program } from './checks/coi.ts';
import { firewall } from './checks/firewall.ts';
import { incus, lxcfs } from './checks/incus.ts';
import { kernelLimits } from './checks/limits.ts';
import { bridge, forwarding } from './checks/network.ts';
import { controlGroups, distribution, kernel } from './checks/os.ts';
import { aptSource, packages } from './checks/packages.ts';
import { defaultProfile } from './checks/profile.ts';
import { diskSpace, storagePools } from './checks/storage.ts';

export const checks: readonly Check[] = [
  distribution,
  kernel,
  controlGroups,
  kernelLimits,
  diskSpace,
  aptSource,
  packages,
  idRanges,
  permissions,
  lxcfs,
  incus,
  storagePools,
  bridge,
  defaultProfile,
  forwarding,
  firewall,
  program,
  coid,
  image,
];
