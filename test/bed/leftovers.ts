// Detects leftovers on the machine: lists everything before and after, and compares.
import { lstat, readdir } from 'node:fs/promises';
import { tableNames } from '../../src/daemon/network/table-names.ts';
import type { Incus } from '../../src/incus/client.ts';
import type { Instance } from '../../src/incus/shapes.ts';
import { sessionRecord } from '../../src/session/record/instance-record.ts';
import { mustRun } from './command.ts';
import { mountPointsUnder } from './mounts.ts';

export interface Scope {
  /** Instances of other prefixes, their interfaces and mounts belong to other tests. */
  readonly prefix: string;
  /** Run directory of the test's coid. */
  readonly runDir: string;
  /** Directories in which every entry counts: homes, workspaces. */
  readonly directories?: readonly string[];
  /** Paths below those that may change, for example `.cache`. */
  readonly ignore?: RegExp;
}

/** One line per item: `instance NAME`, `interface NAME`, `mount PATH`, `table FAMILY NAME`, `file PATH`. */
export type Inventory = readonly string[];

export async function takeInventory(incus: Incus, scope: Scope): Promise<Inventory> {
  // Other tests' instances come and go: their items before and after are excluded.
  const earlier = await incus.instances();
  const allPorts = await readdir('/sys/class/net');
  const allMounts = await mountPointsUnder(scope.runDir);
  const instances = await incus.instances();
  const isOwn = ({ name }: Instance) => name.startsWith(scope.prefix);
  const own = instances.filter(isOwn);
  const foreign = [...earlier, ...instances].filter((instance) => !isOwn(instance));
  const [ownPorts, foreignPorts] = [own, foreign].map((all) => new Set(all.flatMap(interfaces)));
  const foreignMounts = foreign.map(
    (instance) => `${scope.runDir}/mounts/${sessionRecord(instance.config)?.mounts.id}`,
  );
  // Of other interfaces only those named like coid's: network tests and Incus create some with any name.
  const ports = allPorts.filter(
    (name) => ownPorts?.has(name) || (/^coi[0-9a-f]{10}$/.test(name) && !foreignPorts?.has(name)),
  );
  const mounts = allMounts.filter((path) => !foreignMounts.some((id) => path.startsWith(id)));
  const files = await Promise.all((scope.directories ?? []).map((directory) => entries(directory)));
  return [
    ...own.map(({ name, status }) => `instance ${name} ${status}`),
    ...ports.map((name) => `interface ${name}`),
    ...mounts.map((path) => `mount ${path}`),
    ...(await tables(scope.runDir)).map((table) => `table ${table}`),
    ...files
      .flat()
      .filter((path) => !scope.ignore?.test(path))
      .map((path) => `file ${path}`),
  ].sort();
}

/** `+ item` for additions and `- item` for removals. */
export function leftovers(before: Inventory, after: Inventory): string[] {
  const [old, now] = [new Set(before), new Set(after)];
  const came = after.filter((line) => !old.has(line)).map((line) => `+ ${line}`);
  const went = before.filter((line) => !now.has(line)).map((line) => `- ${line}`);
  return [...came, ...went];
}

function interfaces({ config, expanded_devices: devices }: Instance): string[] {
  const fixed = Object.values(devices).map((device) => device['host_name']);
  const chosen = Object.entries(config).filter(([key]) => /^volatile\..*\.host_name$/.test(key));
  return [...fixed, ...chosen.map(([, name]) => name)].filter((name) => name !== undefined);
}

async function tables(runDir: string): Promise<string[]> {
  const { stdout } = await mustRun(['nft', 'list', 'tables']);
  const own = ` ${tableNames(runDir).table}`;
  return stdout
    .split('\n')
    .filter((line) => line.endsWith(own))
    .map((line) => line.replace(/^table /, ''));
}

/** Every entry below a directory without following links; none if it does not exist. */
async function entries(directory: string): Promise<string[]> {
  const found = await lstat(directory).catch(() => undefined);
  if (!found?.isDirectory()) return [];
  const names = await readdir(directory, { withFileTypes: true });
  const below = await Promise.all(
    names.map(async (entry) => {
      const path = `${directory}/${entry.name}`;
      return entry.isDirectory() ? [path, ...(await entries(path))] : [path];
    }),
  );
  return below.flat();
}
