// Variables that a project's own file may set for its sessions without approval. Pure.

/**
 * An allowlist, because no denylist is complete: programs take code, credentials and servers from many variables (PATH,
 * BASH_ENV, LD_PRELOAD, GIT_SSH_COMMAND, NODE_OPTIONS, PYTHONPATH, ANTHROPIC_BASE_URL, CLAUDE_CONFIG_DIR, ...). The
 * variables below only select options of the project's own programs: environment name, log level, output format, and
 * addresses of the project's own services.
 */
const names: ReadonlySet<string> = new Set([
  ...['CI', 'DEBUG', 'ENV_NAME', 'ENVIRONMENT', 'LOG_FORMAT', 'LOG_LEVEL', 'PORT', 'STAGE'],
  ...['APP_ENV', 'APP_DEBUG', 'ASPNETCORE_ENVIRONMENT', 'DOTNET_ENVIRONMENT', 'FLASK_DEBUG'],
  ...['FLASK_ENV', 'GIN_MODE', 'MIX_ENV', 'NODE_ENV', 'RACK_ENV', 'RAILS_ENV'],
  ...['CARGO_INCREMENTAL', 'CARGO_TERM_COLOR', 'RUST_BACKTRACE', 'RUST_LOG'],
  ...['CGO_ENABLED', 'GOARCH', 'GOOS', 'PYTHONDONTWRITEBYTECODE', 'PYTHONUNBUFFERED'],
  ...['CLICOLOR', 'CLICOLOR_FORCE', 'COLORTERM', 'FORCE_COLOR', 'NO_COLOR'],
  ...['LANG', 'LANGUAGE', 'TZ'],
  ...['ASTRO_TELEMETRY_DISABLED', 'DO_NOT_TRACK', 'DOTNET_CLI_TELEMETRY_OPTOUT'],
  ...['NEXT_TELEMETRY_DISABLED', 'NUXT_TELEMETRY_DISABLED', 'TURBO_TELEMETRY_DISABLED'],
  ...['DATABASE_URL', 'REDIS_URL'],
]);

/** Prefixes with which frameworks pass values to the project's web page, and locale variables. */
const prefixes = [
  ...['EXPO_PUBLIC_', 'NEXT_PUBLIC_', 'NUXT_PUBLIC_', 'REACT_APP_', 'VITE_', 'VUE_APP_'],
  'LC_',
];

export function isHarmlessVariable(name: string): boolean {
  return names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}
