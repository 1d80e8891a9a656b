// Setup of git and package managers in the container, so that they work with guarded paths and with files that the host
// uses at the same time: variables, and shell lines before the command. Pure.

export interface ToolFacts {
  /** Whether the agent cannot change .git/config and .git/hooks. */
  readonly guarded: boolean;
  /** Additional git configuration. */
  readonly git: readonly (readonly [key: string, value: string])[];
}

type Variables = Readonly<Record<string, string>>;

/** Container and host see different ids on the files; otherwise each side would re-read all of them. */
const sharedIndex = [
  ['core.checkStat', 'minimal'],
  ['core.trustctime', 'false'],
] as const;

/** `git gc` writes a list for dumb servers into .git/info, which is sealed. It is not needed here. */
const sealedInfo = [['repack.updateServerInfo', 'false']] as const;

/** Prevents hook managers from writing .git/hooks; existing hooks still run. The last one is for yorkie and husky before 5. */
const noHookInstall: Variables = {
  SKIP_INSTALL_SIMPLE_GIT_HOOKS: '1',
  YORKIE_SKIP_INSTALL: '1',
  HUSKY_SKIP_INSTALL: '1',
};

/** Workspace and caches are on different file systems, so hard links fail; uv would print a warning. */
const otherFileSystem: Variables = { UV_LINK_MODE: 'copy' };

/** Variables to add to the user's, which take precedence. */
export function toolVariables(given: Variables, { guarded, git }: ToolFacts): Variables {
  const added = { ...otherFileSystem, ...(guarded ? noHookInstall : {}) };
  const missing = Object.entries(added).filter(([name]) => given[name] === undefined);
  const config = [...sharedIndex, ...(guarded ? sealedInfo : []), ...git];
  return { ...Object.fromEntries(missing), ...gitVariables(given, config) };
}

/** git uses the last value of a key, so the user's come after ours. */
function gitVariables(given: Variables, config: ToolFacts['git']): Variables {
  const theirs = userConfig(given);
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

/** Undefined if git would reject it: the user should see git's error. */
function userConfig(given: Variables): [string, string][] | undefined {
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
 * By default pnpm puts its store at the root of the workspace's file system. A variable would override the project's own
 * setting, and npm warns about unknown ones, so a file is used. pnpm 11 reads the second file.
 */
const pnpmStore = `[ -e ~/.config/pnpm ] || {
  mkdir -p ~/.config/pnpm
  printf 'store-dir=%s\\n' ~/.local/share/pnpm/store >~/.config/pnpm/rc
  printf 'storeDir: %s\\n' ~/.local/share/pnpm/store >~/.config/pnpm/config.yaml
}`;

/**
 * lefthook and husky 8 fail if they cannot write the files they generate, and cannot be told not to. They get a writable
 * copy, private to the container, mounted over the guarded directory.
 */
const writableCopies = `coi_own_copy() {
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
 * With HUSKY=0, husky 9 does nothing and its hooks do not run either, unless a file that they read unsets it. If husky was
 * never installed on the host, there are no hooks to run.
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

/** If the image has additional CA certificates (of a company), programs with their own CA list use the system's. */
const caCertificates = `coi_list=/etc/ssl/certs/ca-certificates.crt
if [ -e "$coi_list" ] && compgen -G '/usr/local/share/ca-certificates/*' >/dev/null; then
  export NODE_USE_SYSTEM_CA="\${NODE_USE_SYSTEM_CA-1}" SSL_CERT_FILE="\${SSL_CERT_FILE-$coi_list}"
  export REQUESTS_CA_BUNDLE="\${REQUESTS_CA_BUNDLE-$coi_list}" PIP_CERT="\${PIP_CERT-$coi_list}"
  export CARGO_HTTP_CAINFO="\${CARGO_HTTP_CAINFO-$coi_list}" AWS_CA_BUNDLE="\${AWS_CA_BUNDLE-$coi_list}"
fi`;

/** Lines of bash that run in the workspace. A failure does not prevent the start. */
export function toolSetupLines({ guarded }: Pick<ToolFacts, 'guarded'>): readonly string[] {
  return [pnpmStore, caCertificates, ...(guarded ? [writableCopies, husky] : [])];
}

/** Whether the protection request covers git's own files. */
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
