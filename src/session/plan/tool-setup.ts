// How git and package managers are set up inside, so that they work beside a host that uses the same files, and beside
// guarded paths: variables, and what a shell does before the command. Pure.

export interface ToolFacts {
  /** Whether the agent cannot change .git/config and .git/hooks. */
  readonly guarded: boolean;
  /** More of git's configuration. */
  readonly git: readonly (readonly [key: string, value: string])[];
}

type Variables = Readonly<Record<string, string>>;

/** The container sees the files under other ids than the host, and each side would read all of them again. */
const sharedIndex = [
  ['core.checkStat', 'minimal'],
  ['core.trustctime', 'false'],
] as const;

/** `git gc` writes a list for servers into .git/info, in which nothing new can be made. Nobody needs it here. */
const sealedInfo = [['repack.updateServerInfo', 'false']] as const;

/** They write .git/hooks; hooks that are there still run. The last one is for yorkie and husky before 5. */
const noHookInstall: Variables = {
  SKIP_INSTALL_SIMPLE_GIT_HOOKS: '1',
  YORKIE_SKIP_INSTALL: '1',
  HUSKY_SKIP_INSTALL: '1',
};

/** The workspace is another file system than the caches, so links are not possible: uv warns of that otherwise. */
const otherFileSystem: Variables = { UV_LINK_MODE: 'copy' };

/** What is to be added to the variables that the user gives, which win. */
export function toolVariables(given: Variables, { guarded, git }: ToolFacts): Variables {
  const added = { ...otherFileSystem, ...(guarded ? noHookInstall : {}) };
  const missing = Object.entries(added).filter(([name]) => given[name] === undefined);
  const config = [...sharedIndex, ...(guarded ? sealedInfo : []), ...git];
  return { ...Object.fromEntries(missing), ...gitVariables(given, config) };
}

/** Of several values for a key the last one counts for git: the user's come after ours. */
function gitVariables(given: Variables, config: ToolFacts['git']): Variables {
  const theirs = givenConfig(given);
  if (theirs === undefined) return {};
  const all = [...config, ...theirs];
  return {
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(
      all.flatMap(([key, value], at) => [
        [`GIT_CONFIG_KEY_${at}`, key],
        [`GIT_CONFIG_VALUE_${at}`, value],
      ]),
    ),
  };
}

/** Undefined for what git would refuse: that is the user's to see. */
function givenConfig(given: Variables): [string, string][] | undefined {
  const count = given['GIT_CONFIG_COUNT'];
  if (count === undefined || count === '') return [];
  if (!/^\d{1,3}$/.test(count)) return undefined;
  const config: [string, string][] = [];
  for (let at = 0; at < Number(count); at += 1) {
    const [key, value] = [given[`GIT_CONFIG_KEY_${at}`], given[`GIT_CONFIG_VALUE_${at}`]];
    if (key === undefined || value === undefined) return undefined;
    config.push([key, value]);
  }
  return config;
}

/**
 * pnpm would put its store at the top of the workspace, the file system of the project; a variable would overrule a
 * project that says where it wants it, and npm complains of one that is not its own. Version 11 reads the second file.
 */
const pnpmStore = `[ -e ~/.config/pnpm ] || {
  mkdir -p ~/.config/pnpm
  printf 'store-dir=%s\\n' ~/.local/share/pnpm/store >~/.config/pnpm/rc
  printf 'storeDir: %s\\n' ~/.local/share/pnpm/store >~/.config/pnpm/config.yaml
}`;

/**
 * lefthook and husky 8 fail where they cannot write what they generate, and have no switch for it: they get a copy that
 * is the container's own, over the guarded directory, which cannot be written only until then.
 */
const ownCopies = `coi_own_copy() {
  [ -d "$1" ] && [ ! -w "$1" ] || return
  rm -rf ~/.cache/coi/"$1" && mkdir -p ~/.cache/coi/"$1" &&
    cp -r --preserve=mode "$1/." ~/.cache/coi/"$1" && sudo -n mount --bind ~/.cache/coi/"$1" "$1"
} 2>/dev/null
for coi_file in lefthook.* .lefthook.* .config/lefthook.*; do
  [ -e "$coi_file" ] || continue
  coi_own_copy .git/hooks
  coi_own_copy .git/info
  break
done`;

/**
 * husky 9 does nothing with HUSKY=0, and its hooks neither, unless a file that they read takes it away again. Where husky
 * was never installed on the host, there are no hooks to run.
 */
const husky = `if [ -z "\${HUSKY+x}" ]; then
  if [ -e .husky/_/h ]; then
    [ -e ~/.config/husky/init.sh ] || {
      mkdir -p ~/.config/husky
      echo 'unset HUSKY' >~/.config/husky/init.sh
    }
    [ "$(<~/.config/husky/init.sh)" = 'unset HUSKY' ] && export HUSKY=0
  elif [ -d .husky/_ ]; then
    coi_own_copy .husky/_
  elif [ -d .husky ]; then
    export HUSKY=0
  fi
fi`;

/** Where somebody has added an authority (a company's), programs that bring a list of their own are told of the system's. */
const authorities = `coi_list=/etc/ssl/certs/ca-certificates.crt
if [ -e "$coi_list" ] && compgen -G '/usr/local/share/ca-certificates/*' >/dev/null; then
  export NODE_USE_SYSTEM_CA="\${NODE_USE_SYSTEM_CA-1}" SSL_CERT_FILE="\${SSL_CERT_FILE-$coi_list}"
  export REQUESTS_CA_BUNDLE="\${REQUESTS_CA_BUNDLE-$coi_list}" PIP_CERT="\${PIP_CERT-$coi_list}"
  export CARGO_HTTP_CAINFO="\${CARGO_HTTP_CAINFO-$coi_list}" AWS_CA_BUNDLE="\${AWS_CA_BUNDLE-$coi_list}"
fi`;

/** Lines of bash, at home in the workspace. None of them keeps the command from starting. */
export function toolLines({ guarded }: Pick<ToolFacts, 'guarded'>): readonly string[] {
  return [pnpmStore, authorities, ...(guarded ? [ownCopies, husky] : [])];
}

/** Whether git's own files are guarded, by the paths that are asked for. */
export function guardsGit(
  protect:
    | { readonly paths: readonly string[]; readonly readonlyGit?: boolean | undefined }
    | undefined,
): boolean {
  return (
    protect !== undefined &&
    (protect.readonlyGit === true ||
      ['.git/config', '.git/hooks'].some((path) => protect.paths.includes(path)))
  );
}
