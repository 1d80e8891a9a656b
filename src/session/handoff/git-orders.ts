// Whether a repository's configuration holds nothing but what is known to make git run and obey nothing. Pure. What cannot
// be read by these simple rules is not harmless.
import { textMax } from './tree.ts';

/** Sections and keys in lower case; `*` stands for the name of a branch, remote or submodule. */
const harmless: Readonly<Record<string, string>> = {
  core: `repositoryformatversion filemode bare logallrefupdates ignorecase precomposeunicode symlinks autocrlf eol
    safecrlf abbrev quotepath checkstat trustctime sparsecheckout sparsecheckoutcone untrackedcache preloadindex`,
  user: 'name email',
  extensions:
    'worktreeconfig objectformat partialclone refstorage preciousobjects relativeworktrees',
  'branch *': 'remote merge rebase pushremote description',
  'remote *': 'url pushurl fetch push tagopt prune promisor partialclonefilter',
  'submodule *': 'url active',
  submodule: 'active',
  index: 'sparse version',
  init: 'defaultbranch',
  pull: 'rebase ff',
  push: 'default autosetupremote',
  fetch: 'prune',
  gc: 'auto',
  lfs: 'repositoryformatversion',
  'lfs *': 'access',
};

const allowed = new Map(
  Object.entries(harmless).map(([section, keys]) => [section, new Set(keys.split(/\s+/))]),
);

export function isHarmlessConfig(text: string): boolean {
  // Longer than what was read of it.
  if (text.length >= textMax) return false;
  let keys: ReadonlySet<string> | undefined;
  return text.split('\n').every((whole) => {
    const line = whole.trim();
    if (line === '' || /^[#;]/.test(line)) return true;
    const [, section, name] = /^\[([A-Za-z0-9-]+)(?: "([^"\\]*)")?\]$/.exec(line) ?? [];
    if (section !== undefined) {
      keys = allowed.get(section.toLowerCase() + (name === undefined ? '' : ' *'));
      return keys !== undefined;
    }
    // Whatever is quoted, escaped or goes on in the next line may mean something else than it seems to.
    const [, key = '', value = ''] =
      /^([A-Za-z][A-Za-z0-9-]*)(?:\s*=\s*([^"\\]*))?$/.exec(line) ?? [];
    // An address of that kind names a program.
    return keys?.has(key.toLowerCase()) === true && !value.includes('::');
  });
}
