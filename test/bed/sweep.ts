// Removes what tests made and did not take away themselves, because they failed or were killed.
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { stopDaemon } from '../../src/daemon/control.ts';
import { placesOf } from '../../src/daemon/network/table-names.ts';
import type { Incus } from '../../src/incus/client.ts';
import { mustRun, runCommand } from './command.ts';
import { openRealIncus, removeInstance } from './incus.ts';
import { mountPointsUnder } from './mounts.ts';
import { testPrefix } from './prefix.ts';

const endMs = 30_000;

/** Deletes all instances of a prefix (`coit-…`), running ones too. */
export async function sweepInstances(incus: Incus, prefix: string): Promise<string[]> {
  if (!prefix.startsWith(`${testPrefix}-`)) throw new Error(`${prefix} is no prefix of a test`);
  const names = (await incus.instanceNames()).filter((name) => name.startsWith(prefix));
  await Promise.all(names.map((name) => removeInstance(incus, name)));
  return names;
}

/** Unmounts everything below the run directory of a test's coid, which has ended, and removes both its directories. */
export async function sweepCoid(runDir: string, stateDir: string): Promise<void> {
  for (const directory of [runDir, stateDir]) {
    if (!/^\/(run|var\/lib)\/coi-[a-z0-9-]+$/.test(directory))
      throw new Error(`${directory} is no directory of a test's coid`);
  }
  for (const point of (await mountPointsUnder(runDir)).toReversed())
    await mustRun(['umount', point]);
  if ((await mountPointsUnder(runDir)).length > 0)
    throw new Error(`mounts are left below ${runDir}`);
  await removeRules(runDir);
  // --one-file-system: a mount that came meanwhile must not be emptied.
  await mustRun(['rm', '-rf', '--one-file-system', runDir, stateDir]);
}

/** Of tests that were interrupted: their services, which might make more, then their instances. */
export async function sweepPrefixes(prefixes: readonly string[]): Promise<void> {
  const incus = await openRealIncus();
  const runDirs = new Set(prefixes.map((prefix) => `coi-${prefix}coid`));
  const there = (await readdir('/run')).filter((name) => runDirs.has(name));
  try {
    await Promise.allSettled(
      there.map((name) => stopDaemon({ COI_RUN_DIR: `/run/${name}` }, AbortSignal.timeout(endMs))),
    );
    await Promise.allSettled(prefixes.map((prefix) => sweepInstances(incus, prefix)));
    await Promise.allSettled(there.map((name) => sweepCoid(`/run/${name}`, `/var/lib/${name}`)));
  } finally {
    incus.close();
  }
}

/** A coid that was killed leaves its rules in force, as it should. */
async function removeRules(runDir: string): Promise<void> {
  const { table } = placesOf(runDir);
  const commands = ['bridge', 'inet'].map(
    (family) => `add table ${family} ${table}; delete table ${family} ${table}`,
  );
  await runCommand(['nft', commands.join('; ')]);
}

/**
 * What dead test runs left: instances, accounts and directories under /tmp and /var/tmp. Only from a test run that is alone on
 * the machine, since it takes from living ones too.
 */
export async function sweepMachine(incus: Incus): Promise<void> {
  await sweepInstances(incus, `${testPrefix}-`);
  const accounts = (await readFile('/etc/passwd', 'utf8'))
    .split('\n')
    .map((line) => line.split(':')[0] ?? '');
  for (const name of accounts.filter((account) =>
    new RegExp(`^${testPrefix}[0-9a-f]{8}$`).test(account),
  )) {
    await runCommand(['userdel', name]);
  }
  for (const directory of ['/tmp', '/var/tmp']) {
    for (const name of await readdir(directory)) {
      if (!name.startsWith(`${testPrefix}-`)) continue;
      const path = `${directory}/${name}`;
      if ((await mountPointsUnder(path)).length === 0)
        await rm(path, { recursive: true, force: true });
    }
  }
  for (const name of await readdir('/run')) {
    if (name.startsWith(`coi-${testPrefix}-`)) await sweepCoid(`/run/${name}`, `/var/lib/${name}`);
  }
}

/** Removes a directory only if nothing is in it. */
export async function removeEmpty(path: string): Promise<void> {
  await rmdir(path).catch(() => undefined);
}
