// Names that the hand-off report leaves alone, or tells in one word, as data: what nothing runs, and what was installed or built.

/** None of the names holds a space. */
function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

/** Hidden files and directories that nothing runs or obeys: lists of names, formats of text, caches, bookkeeping. In lower case. */
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

/** Directories of what was installed or built, which nobody reads and git usually does not see. */
export const installedDirectories: ReadonlySet<string> = new Set(
  words(`
    node_modules bower_components site-packages .venv venv .tox .nox __pycache__
    __pypackages__ target .next .nuxt .svelte-kit .output .angular .gradle .terraform
    .dart_tool .stack-work .build
  `),
);

/** Where every package has its own build files, which nobody builds from there. */
export const packageDirectories: ReadonlySet<string> = new Set(
  words('node_modules bower_components site-packages .venv venv .tox .nox __pypackages__'),
);
