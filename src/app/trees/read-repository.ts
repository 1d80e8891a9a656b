// Reads what the user's repository is, and refuses what a tree of its own cannot have.
import { CoiError } from '../../errors.ts';
import { type Git, GitError } from '../../host/git/run-git.ts';
import {
  assertSupported,
  filtersIn,
  parseRepository,
  type Repository,
  repositoryQuestions,
  submodulesOf,
  unsupported,
} from '../../trees/repository.ts';

/** Exit status of git for a question whose answer is no. */
const no = [1];
const fatal = 128;

/** Throws `workspace-invalid` if the directory is in no repository. */
export async function readRepository(git: Git, directory: string): Promise<Repository> {
  const [answer, head, branch] = await Promise.all([
    git.run({ args: repositoryQuestions }).then(
      ({ stdout }) => stdout,
      (error: unknown) => {
        if (error instanceof GitError && /not a git repository/.test(error.message))
          return undefined;
        throw asTreeError(error, `reading the repository of ${directory}`);
      },
    ),
    ask(git, ['rev-parse', '--quiet', '--verify', 'HEAD^{commit}']),
    ask(git, ['symbolic-ref', '--quiet', '--short', 'HEAD']),
  ]);
  if (answer === undefined)
    throw new CoiError('workspace-invalid', `${directory} is not in a git repository`, {
      hint: 'Run `git init`, or leave out --branch.',
    });
  const found = parseRepository(answer, { head: head?.trim(), branch: branch?.trim() });
  if (!found) throw unsupported('its path contains a newline');
  return found;
}

/** Throws `tree-unsupported` with the reason. `commit` is an object id. */
export async function assertTreePossible(
  git: Git,
  { objectFormat }: Repository,
  commit: string,
): Promise<void> {
  const [partial, remotes, sparse, entries, attributes] = await Promise.all([
    ask(git, ['config', '--get', 'extensions.partialClone']),
    ask(git, ['config', '--get-regexp', '^remote\\..*\\.promisor$', 'true']),
    ask(git, ['config', '--type=bool', '--get', 'core.sparseCheckout']),
    git.run({ args: ['ls-tree', '-r', '-z', '--full-tree', commit] }),
    ask(git, [
      'grep',
      '--no-textconv',
      '-hE',
      '[[:space:]](filter|working-tree-encoding)=',
      commit,
      '--',
      ':(top,glob)**/.gitattributes',
    ]),
  ]);
  assertSupported({
    objectFormat,
    isPartial: partial !== undefined || remotes !== undefined,
    isSparse: sparse?.trim() === 'true',
    submodules: submodulesOf(entries.stdout),
    filters: filtersIn(attributes ?? ''),
  });
}

/** Undefined if the answer is no, or git refuses the question. */
async function ask(git: Git, args: readonly string[]): Promise<string | undefined> {
  const { status, stdout } = await git.run({ args, answers: [...no, fatal] });
  return status === 0 ? stdout : undefined;
}

export function asTreeError(error: unknown, doing: string): unknown {
  if (!(error instanceof GitError)) return error;
  return new CoiError('tree-failed', `${doing} failed: ${error.message}`, { cause: error });
}
