// Names that the hand-off report omits or summarizes: files that nothing runs, and installed or built files.

/** None of the names contains a space. */
function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** Hidden files and directories that nothing runs or obeys: ignore lists, text formats, caches, bookkeeping. In lower case. */
export const harmlessHidden: ReadonlySet<string> = new Set(
  words(`
    .gitignore .gitkeep .keep .placeholder .mailmap .git-blame-ignore-revs .dockerignore
    .containerignore .npmignore .yarnignore .prettierignore .eslintignore .stylelintignore
    .markdownlintignore .ignore .rgignore .fdignore .hgignore .bazelignore .helmignore
    .gcloudignore .vercelignore .slugignore .vscodeignore .worktreeinclude .editorconfig
    .clang-format .clang-format-ignore .rustfmt.toml .nojekyll .ds_store .directory .localized
    .package-lock.json .package-map.json .yarn-integrity .yarn-state.yml .modules.yaml
    .tsbuildinfo .eslintcache .stylelintcache .coverage .nyc_output .pytest_cache .mypy_cache
    .ruff_cache .hypothesis .ipynb_checkpoints .cache .parcel-cache .turbo .sass-cache
    .rustc_info.json .cargo-lock .fingerprint .ninja_log .ninja_deps .ninja_lock .buildinfo
    .lock
  `),
);

/** Directories of installed or built files, which nobody reviews and git usually ignores. */
export const installedDirectories: ReadonlySet<string> = new Set(
  words(`
    node_modules bower_components site-packages .venv venv .tox .nox __pycache__
    __pypackages__ target .next .nuxt .svelte-kit .output .angular .gradle .terraform
    .dart_tool .stack-work .build
  `),
);

/** Directories of packages with their own build files, which are not built there. */
export const packageDirectories: ReadonlySet<string> = new Set(
  words('node_modules bower_components site-packages .venv venv .tox .nox __pypackages__'),
);
