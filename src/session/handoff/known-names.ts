// Names that host tools read automatically: files that git, shells, editors, agents, package managers, builds and build
// servers run or obey wherever they find them. Names that begin with a dot are in lower case.

/**
 * When the host obeys. `enter`: when somebody changes into the directory, opens it in an editor or starts an agent in it.
 * `build`: on build, test, install or push. `read`: an agent reads it as instructions.
 */
export type Rank = 'enter' | 'build' | 'read';

export interface KnownNames {
  readonly why: string;
  readonly rank: Rank;
  /** Last component of a path. */
  readonly names?: readonly string[];
  /** Pattern for the last component of a path. */
  readonly pattern?: RegExp;
  /** Everything in a directory with that name. */
  readonly directories?: readonly string[];
  /** A directory and a name in it; includes everything below that name. */
  readonly places?: readonly string[];
}

/** None of the names contains a space. */
function words(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

export const knownNames: readonly KnownNames[] = [
  {
    why: 'git selects filters and drivers from it',
    rank: 'enter',
    names: words('.gitattributes'),
  },
  { why: 'git fetches what it names', rank: 'build', names: words('.gitmodules') },
  { why: 'git-lfs contacts the server in it', rank: 'build', names: words('.lfsconfig') },
  {
    why: 'git hooks are generated from it',
    rank: 'build',
    names: words(`
      .pre-commit-config.yaml .pre-commit-config.yml .overcommit.yml .huskyrc
      .simple-git-hooks.json .simple-git-hooks.js .simple-git-hooks.cjs .simple-git-hooks.mjs
      simple-git-hooks.json simple-git-hooks.js simple-git-hooks.cjs simple-git-hooks.mjs
      .captainhook.json captainhook.json
    `),
    pattern:
      /^\.?lefthook(?:-local)?\.(?:ya?ml|json|jsonc|toml)$|^\.?(?:husky|lint-?staged|commitlint)(?:rc)?\.[cm]?[jt]s$|^\.(?:lintstagedrc|huskyrc|commitlintrc)(?:\.[a-z]+)?$/,
    directories: words('.husky .githooks .git-hooks .lefthook .lefthook-local'),
  },
  {
    why: 'an editor runs tasks from it',
    rank: 'enter',
    names: words('.sublime-project .kateproject .projectile .nova'),
    pattern: /\.(?:code-workspace|sublime-project)$/,
    directories: words(
      '.vscode .vscode-server .idea .run .fleet .zed .vs .helix .nova .theia .kakrc .settings',
    ),
  },
  {
    why: 'an editor runs it when the directory is opened',
    rank: 'enter',
    names: words(`
      .exrc .nvimrc .nvim.lua .vimrc .gvimrc .lvimrc .local.vimrc .vim-bookmarks
      .dir-locals.el .dir-locals-2.el .dir-local.el .neoconf.json .nlsp-settings .lazy.lua
      .projections.json .vimspector.json coc-settings.json
    `),
    directories: words('.vim .nvim'),
  },
  {
    why: 'an editor builds and runs it',
    rank: 'enter',
    names: words('.devcontainer.json .gitpod.yml .gitpod.dockerfile devfile.yaml .devfile.yaml'),
    directories: words('.devcontainer .ona'),
  },
  {
    why: 'a shell reads it when the directory is entered',
    rank: 'enter',
    names: words(`
      .envrc .env .autoenv .autoenv.zsh .in .out .tool-versions .mise.toml .rtx.toml mise.toml
      mise.lock .nvmrc .node-version .ruby-version .ruby-gemset .python-version .java-version
      .go-version .terraform-version .rvmrc .versions.conf .sdkmanrc .swift-version
      .zshrc.local devbox.json devbox.lock devenv.nix devenv.yaml devenv.local.nix
      .devenv.flake.nix
    `),
    pattern:
      /^\.env(?!\.(?:example|sample|template|dist|defaults)$)\.[^/]+$|^\.?(?:mise|rtx)\.[a-z.-]+\.toml$/,
    directories: words('.direnv .mise .flox .devbox'),
    places: words('.config/mise .config/mise.toml .config/direnv mise/config.toml'),
  },
  {
    why: 'the Nix shell of the directory is built from it',
    rank: 'enter',
    names: words('flake.nix flake.lock shell.nix default.nix'),
  },
  {
    why: 'editors and tools run the Python of this environment',
    rank: 'enter',
    names: words('pyvenv.cfg'),
  },
  {
    why: 'a debugger, interpreter or pager reads it when started there',
    rank: 'enter',
    names: words(`
      .gdbinit .lldbinit .pdbrc .pryrc .irbrc .rdbgrc .iex.exs .formatter.exs .rprofile
      .renviron .ghci .ocamlinit .sqliterc .psqlrc .inputrc .perldb .octaverc .scalafmt.conf
      .byebugrc .tclshrc .jshellrc .screenrc .tmux.conf .tmuxinator.yml .ripgreprc
      sitecustomize.py usercustomize.py
    `),
  },
  {
    why: 'a package manager reads settings from it',
    rank: 'build',
    names: words(`
      .npmrc .yarnrc .yarnrc.yml .yarnrc.yaml bunfig.toml .pnpmfile.cjs .pnpmfile.js
      .pnpmfile.mjs .pnp.cjs .pnp.js .pnp.loader.mjs pnpm-workspace.yaml pip.conf uv.toml
      .condarc .pypirc .gemrc auth.json nuget.config NuGet.config NuGet.Config .bundle .hex
      gradle.properties .sbtopts .jvmopts deps.edn bb.edn
    `),
    directories: words('.cargo .bundle .mvn .yarn .bazelisk'),
    places: words('gradle/wrapper project/build.properties project/plugins.sbt'),
  },
  {
    why: 'it selects the compiler or toolchain',
    rank: 'build',
    names: words(`
      rust-toolchain rust-toolchain.toml go.work go.mod global.json .bazelversion .bazeliskrc
      lean-toolchain .packagemanager
    `),
  },
  {
    why: 'builds, tests or installs run commands from it',
    rank: 'build',
    names: words(`
      package.json package.json5 package.yaml deno.json deno.jsonc setup.py setup.cfg
      pyproject.toml tox.ini noxfile.py pytest.ini .pytest.ini conftest.py manage.py
      fabfile.py tasks.py dodo.py .coveragerc .pylintrc pylintrc build.rs Cargo.toml
      build.gradle build.gradle.kts settings.gradle settings.gradle.kts init.gradle gradlew
      gradlew.bat mvnw mvnw.cmd pom.xml build.xml build.sbt build.sc build.zig Gemfile
      Rakefile rakefile Guardfile Capfile .rspec composer.json mix.exs rebar.config
      dune-project Package.swift Podfile Fastfile project.clj shadow-cljs.edn
      Directory.Build.props Directory.Build.targets Directory.Packages.props binding.gyp
      gulpfile.js Gruntfile.js gruntfile.js Tiltfile skaffold.yaml turbo.json nx.json
      lerna.json Procfile binding.gn
    `),
    pattern:
      /\.(?:csproj|fsproj|vbproj|vcxproj|gemspec|cabal|pth)$|^[\w.-]+\.config\.[cm]?[jt]s$|^\.(?:eslintrc|babelrc|prettierrc|stylelintrc|mocharc|postcssrc|swcrc|nycrc|releaserc|graphqlrc|remarkrc|browserslistrc|ncurc|syncpackrc)(?:\.[a-z0-9]+)?$|^\.(?:prettierrc|eslintrc)$/,
  },
  {
    why: 'a build runs commands from it',
    rank: 'build',
    names: words(`
      GNUmakefile Makefile makefile BSDmakefile justfile Justfile .justfile CMakeLists.txt
      CMakePresets.json CMakeUserPresets.json meson.build meson_options.txt SConstruct
      SConscript wscript configure configure.ac configure.in autogen.sh bootstrap.sh BUILD
      BUILD.bazel WORKSPACE WORKSPACE.bazel MODULE.bazel BUCK TARGETS .buckconfig .bazelrc
      user.bazelrc pants.toml Earthfile Vagrantfile Snakefile Jamfile xmake.lua premake5.lua
      build.ninja magefile.go
    `),
    pattern:
      /^[^/]+\.(?:mk|bzl|tf|tofu|tfvars|nomad|hcl)$|^\.?[Tt]askfile(?:\.dist)?\.ya?ml$|^(?:Docker|Container)file(?:[.-][^/]*)?$|\.[Dd]ockerfile$|^(?:docker-)?compose[^/]*\.ya?ml$|^\.?docker-bake[^/]*\.(?:hcl|json)$/,
    places: words('tools/bazel'),
  },
  {
    why: 'it lists packages to install',
    rank: 'build',
    names: words(`
      package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb
      deno.lock Cargo.lock poetry.lock uv.lock pdm.lock Pipfile Pipfile.lock go.sum
      go.work.sum Gemfile.lock composer.lock mix.lock flake.lock Podfile.lock
      packages.lock.json .terraform.lock.hcl environment.yml pixi.toml pixi.lock Brewfile
    `),
    pattern: /^(?:[\w.-]*[-_.])?(?:requirements|constraints)(?:[-_.][\w.-]*)?\.(?:txt|in)$/,
  },
  {
    why: 'the build server runs it',
    rank: 'build',
    names: words(`
      .gitlab-ci.yml .gitlab-ci.yaml Jenkinsfile .travis.yml .drone.yml .drone.jsonnet
      .cirrus.yml .cirrus.star .appveyor.yml appveyor.yml .woodpecker.yml .woodpecker.yaml
      bitbucket-pipelines.yml cloudbuild.yaml cloudbuild.yml buildspec.yml .readthedocs.yaml
      .readthedocs.yml .goreleaser.yml .goreleaser.yaml netlify.toml vercel.json renovate.json
      .renovaterc .mergify.yml .sourcery.yaml codecov.yml .codecov.yml
    `),
    pattern: /^\.?azure-pipelines[^/]*\.ya?ml$|^Jenkinsfile[.-]/,
    directories: words(
      '.circleci .buildkite .woodpecker .gitlab .semaphore .teamcity .azuredevops .tekton',
    ),
    places: words(`
      .github/workflows .github/actions .github/dependabot.yml .gitea/workflows
      .forgejo/workflows
    `),
  },
  {
    why: 'an agent on the host reads settings or commands from it',
    rank: 'enter',
    names: words(`
      .mcp.json .claude.json .opencode.json opencode.json opencode.jsonc .crush.json
      crush.json .roomodes .goosehints .agentrc
    `),
    pattern:
      /^\.aider(?!\.(?:chat|input)\.history)[^/]*$|^\.(?:cursor|windsurf|cline|roo|kilocode|codeium|gemini|cody)(?:rules|ignore|modes)?(?:-[a-z]+)?$/,
    directories: words(`
      .claude .codex .gemini .cursor .opencode .windsurf .continue .cline .clinerules .roo
      .kilocode .amp .agents .agent .augment .qwen .kiro .trae .crush .goose .factory .pi
      .junie .amazonq .copilot .claude-plugin
    `),
    places: words('.github/copilot .github/hooks'),
  },
  {
    why: 'coi reads session settings from it',
    rank: 'enter',
    directories: words('.coi'),
  },
  {
    why: 'an agent on the host reads it as instructions',
    rank: 'read',
    names: words(`
      AGENTS.md AGENTS.override.md AGENT.md CLAUDE.md CLAUDE.local.md GEMINI.md QWEN.md
      CRUSH.md CONVENTIONS.md
    `),
    places: words(`
      .github/copilot-instructions.md .github/instructions .github/prompts .github/agents
      .github/chatmodes .github/skills
    `),
  },
];
