// What the user's own git would do in a workspace: the question, and what is read from its answer. Pure.
import { parseGitConfig } from './config.ts';

/** A value of git's configuration, the last one that was set. */
export interface GitValue {
  readonly scope: string;
  readonly value: string;
}

/** Keys as git prints them: in small letters. */
export type GitValues = ReadonlyMap<string, GitValue>;

const keys = [
  'includeif\\..*\\.path',
  'user\\.(name|email|signingkey)',
  'gpg\\.format',
  'gpg\\.ssh\\.defaultkeycommand',
  '(commit|tag|push)\\.gpgsign',
  'tag\\.forcesignannotated',
];

/**
 * Asked where there is no repository, or in the workspace, where git reads the repository's own configuration as well.
 * `git config` runs nothing, whatever stands there (docs/decisions/0073). `coi.asked` makes sure that there is an answer:
 * none means that git failed.
 */
export function gitQuestion(directory: string): readonly string[] {
  return [
    'git',
    '-C',
    directory,
    '-c',
    'coi.asked=yes',
    'config',
    '-z',
    '--show-scope',
    '--get-regexp',
    `^(coi\\.asked|${keys.join('|')})$`,
  ];
}

/** Variables that would lead git to another repository than the one it is asked in, as hooks of git have them. */
const elsewhere = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_NAMESPACE',
  'GIT_PREFIX',
  'GIT_CONFIG',
];

/** Where the user names a workspace by a link, `gitdir` may be meant by that name: git takes it from PWD. */
export function gitEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  workspace: string,
): Readonly<Record<string, string | undefined>> {
  const kept = Object.entries(env).filter(([name]) => !elsewhere.includes(name));
  return { ...Object.fromEntries(kept), PWD: workspace };
}

/** All values in git's order: what is closer to the repository comes later. */
export function gitAnswers(answer: string): readonly (GitValue & { readonly key: string })[] {
  const fields = answer.split('\0');
  const values = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [scope = '', entry = ''] = fields.slice(at, at + 2);
    const end = entry.indexOf('\n');
    // A key without a value means true.
    values.push(
      end < 0
        ? { scope, key: entry, value: 'true' }
        : { scope, key: entry.slice(0, end), value: entry.slice(end + 1) },
    );
  }
  return values;
}

/** Whether the answer may be another one in the workspace: the user has `includeIf`, or signs, which a repository may change. */
export function dependsOnPlace(answers: ReturnType<typeof gitAnswers>): boolean {
  return answers.some(({ key }) =>
    /^(?:(?:includeif|gpg|commit|tag|push)\.|user\.signingkey$)/.test(key),
  );
}

/**
 * The same by the repository's own configuration, as it stands in its file: that it signs although the user does not
 * elsewhere, or takes in what may say so.
 */
export function mayDecideSigning(config: string): boolean {
  const parsed = parseGitConfig(config);
  if (!('variables' in parsed)) return true;
  return parsed.variables.some(({ section, name }) =>
    /^(?:includeif|include|gpg)$|(?:gpgsign|signingkey|forcesignannotated|worktreeconfig)$/.test(
      ['include', 'includeif', 'gpg'].includes(section) ? section : name,
    ),
  );
}

/** What counts for the user's git in that workspace. */
export function effective(answers: ReturnType<typeof gitAnswers>): GitValues {
  return new Map(answers.map(({ key, scope, value }) => [key, { scope, value }]));
}

/** The same without the repository's own configuration, which git inside reads itself. */
export function usersOwn(answers: ReturnType<typeof gitAnswers>): GitValues {
  return effective(answers.filter((answer) => !isRepositorys(answer)));
}

/** Only that. */
export function repositorysOwn(answers: ReturnType<typeof gitAnswers>): GitValues {
  return effective(answers.filter(isRepositorys));
}

function isRepositorys({ scope }: GitValue): boolean {
  return scope === 'local' || scope === 'worktree';
}
