// Environment variables of a session: from configuration, coi's own environment, files and --env.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { captureOutput } from '../../host/process/capture-output.ts';
import { parseEnvFile } from '../../session/plan/environment.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import type { AppContext } from '../context.ts';
import type { VariablesRequest } from '../requests.ts';
import { readTextFile } from '../text-file.ts';

type Variables = Readonly<Record<string, string>>;

const fileMaxBytes = 2 ** 20;

/** Variables for the agent from configuration, forwarding and the request; later ones win. */
export function agentEnvironment(
  app: AppContext,
  request: VariablesRequest,
  { settings }: ResolvedConfig,
  workspace: string,
): Record<string, string> {
  const variables = {
    ...settings['defaults.environment'],
    ...commandVariables(app, settings),
    ...forwardVariables(app, settings['defaults.forward_env'], 'forward_env'),
    ...requestVariables(app, request, workspace),
  };
  const unused = proxies.filter((name) => app.env[name] && variables[name] === undefined);
  if (unused.length > 0)
    app.report.warn(
      `sessions do not use the proxy of this host: add ${unused.join(', ')} to [defaults] forward_env if they should`,
    );
  return variables;
}

/** Only their names are printed: a value may contain a password. */
const proxies = [
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'ALL_PROXY',
  'all_proxy',
];

/** Variables of the request. Throws `usage`. */
export function requestVariables(
  app: AppContext,
  { env, envFiles }: VariablesRequest,
  workspace: string = workspacePath(app.cwd, '.'),
): Record<string, string> {
  const ofFiles = envFiles.map((path) =>
    parseEnvFile(path, readTextFile(app, path, 'the env file', workspace, fileMaxBytes)),
  );
  const ofFlags = env.map(({ name, value }) =>
    value === undefined ? forwardVariables(app, [name], '--env') : { [name]: value },
  );
  return Object.assign({}, ...ofFiles, ...ofFlags);
}

/** Variables of coi's own environment. */
function forwardVariables(app: AppContext, names: readonly string[], source: string): Variables {
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = app.env[name];
    if (value === undefined) app.report.warn(`${source}: ${name} is not set on this host`);
    else values[name] = value;
  }
  return values;
}

/** The output of the user's env_commands, one for each variable. */
function commandVariables(app: AppContext, settings: ResolvedConfig['settings']): Variables {
  const timeoutMs = settings['defaults.env_command_timeout'];
  const values: Record<string, string> = {};
  for (const [name, command] of Object.entries(settings['defaults.env_commands'])) {
    const output = captureOutput(['sh', '-c', command], { timeoutMs, cwd: app.user.home });
    if (output === undefined) app.report.warn(`env_commands: the command for ${name} failed`);
    else values[name] = output;
  }
  return values;
}
