// Removes a tree for good, after a last capture, which coi's own repository keeps.
import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { CoiError } from '../../errors.ts';
import { hostFiles } from '../../host/fs/host-files.ts';
import { ownRepository } from '../../host/git/run-git.ts';
import { pluralize } from '../../pluralize.ts';
import { type Container, workspaceOf } from '../../session/record/instance-record.ts';
import type { LeftBehind } from '../../trees/captured-files.ts';
import type { Change } from '../../trees/changes.ts';
import type { AppContext } from '../context.ts';
import { forgetAlias } from '../open-session/workspace-alias.ts';
import { restoreOwnership } from '../ownership.ts';
import { ownContainers } from '../targets/user-containers.ts';
import { captureTree } from './capture-tree.ts';
import { changesBetween, landedCommit, userGit } from './tree-changes.ts';
import { type RepositoryPlaces, repositoryOfTree } from './tree-places.ts';
import { type OwnTree, readTree, whileTreesLocked } from './tree-store.ts';

export interface Unmerged {
  readonly changes: readonly Change[];
  readonly leftBehind: readonly LeftBehind[];
}

export interface Discarded extends Unmerged {
  /** The kept capture; undefined if the tree had no changes at all. */
  readonly capture: string | undefined;
  readonly repository: RepositoryPlaces;
}

/**
 * `mayLose` decides about changes that the user's branch does not have. Returns undefined if it says no. Throws
 * `tree-in-use` while a container, also a stopped one, has the tree.
 */
export async function discardTree(
  app: AppContext,
  tree: OwnTree,
  mayLose: (unmerged: Unmerged) => Promise<boolean>,
): Promise<Discarded | undefined> {
  const repository = repositoryOfTree(tree.places);
  return whileTreesLocked(app, repository, async () => {
    await refuseUsed(app, tree);
    const current = readTree(tree.places) ?? tree;
    const { commit, leftBehind } = await captureTree(app, current);
    const git = ownRepository(repository.captures, app);
    const [landed, all] = await Promise.all([
      userGit(app, current.record.repository).then((user) => landedCommit(app, current, user)),
      changesBetween(git, current.record.base, commit),
    ]);
    const changes = await changesBetween(git, landed, commit);
    const unmerged = { changes, leftBehind };
    if ((changes.length > 0 || leftBehind.length > 0) && !(await mayLose(unmerged)))
      return undefined;
    await refuseUsed(app, tree);
    const kept = all.length > 0 ? commit : undefined;
    if (kept === undefined) await forgetCaptures(app, current);
    else await git.run({ args: ['update-ref', `refs/coi/discarded/${current.record.name}`, kept] });
    await removeDirectory(app, current);
    await forgetAlias(app, current.places.tree);
    return { ...unmerged, capture: kept, repository };
  });
}

async function refuseUsed(app: AppContext, { record, places }: OwnTree): Promise<void> {
  const using = (await ownContainers(app, {})).find(
    (container: Container) => workspaceOf(container) === places.tree,
  );
  if (!using) return;
  throw new CoiError('tree-in-use', `${using.name} still has the tree ${record.name}`, {
    hint: `End it first: coi ${using.status === 'Stopped' ? `clean ${using.name}` : `kill ${using.name}`}`,
  });
}

async function forgetCaptures(app: AppContext, { record, places }: OwnTree): Promise<void> {
  const { captures, bases } = repositoryOfTree(places);
  const refs = `refs/coi/${record.name}/`;
  const git = ownRepository(captures, app);
  const { stdout } = await git.run({ args: ['for-each-ref', '--format=%(refname)', refs] });
  const names = stdout.split('\n').filter((line) => line !== '');
  await git.run({
    args: ['update-ref', '--stdin'],
    input: names.map((name) => `delete ${name}\n`).join(''),
  });
  await ownRepository(bases, app).run({
    args: ['update-ref', '-d', `refs/coi/bases/${record.name}`],
  });
}

/** Renamed first: no half of a tree stays under its name. */
async function removeDirectory(app: AppContext, { places }: OwnTree): Promise<void> {
  for await (const { complete } of restoreOwnership(app, { workspace: places.tree }))
    if (!complete) app.report.warn('Not all files of the tree could be checked');
  const repository = repositoryOfTree(places).directory;
  const name = `.old-${randomBytes(6).toString('hex')}`;
  await rename(places.directory, `${repository}/${name}`);
  const { removeTree } = await import('../../host/fs/remove-tree.ts');
  using parent = hostFiles.open(repository);
  if (parent) await removeTree(parent, name);
}

/** The question before changes are lost. */
export function lossText({ changes, leftBehind }: Unmerged): string {
  const parts = [
    ...(changes.length > 0 ? [`${pluralize(changes.length, 'changed file')} not merged`] : []),
    ...(leftBehind.length > 0
      ? [`${pluralize(leftBehind.length, 'path')} that no capture holds`]
      : []),
  ];
  return parts.join(' and ');
}
