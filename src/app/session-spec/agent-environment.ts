// The variables that a session gets: from configuration, from coi's own environment, from files, from --env.
import type { ResolvedConfig } from '../../config/resolved-config.ts';
import { answerOf } from '../../host/process/ask-program.ts';
import { parseEnvFile } from '../../session/plan/environment.ts';
import { workspacePath } from '../../session/plan/workspace.ts';
import type { AppContext } from '../context.ts';
import type { VariablesRequest } from '../requests.ts';
import { fileText } from '../text-file.ts';

type Variables = Readonly<Record<string, string>>;

const fileMaxBytes = 2 ** 20;

/** Variables for the agent from configuration, forwarding and the request, later ones winning. */
export function agentEnvironment(
  app: AppContext,
  request: VariablesRequest,
  { settings }: ResolvedConfig,
  workspace: string,
): Record<string, string> {
  const variables = {
    ...settings['defaults.environment'],
    ...commanded(app, settings),
    ...taken(app, settings['defaults.forward_env'], 'forward_env'),
    ...givenVariables(app, request, workspace),
  };
  const left = proxies.filter((name) => app.env[name] && variables[name] === undefined);
  if (left.length > 0)
    app.report.warn(
      `sessions do not use the proxy of this host: add ${left.join(', ')} to [defaults] forward_env if they should`,
    );
  return variables;
}

/** Never the value, which may hold a password. */
const proxies = [
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'ALL_PROXY',
  'all_proxy',
];

/** What the request says. Throws `usage`. */
export function givenVariables(
  app: AppContext,
  { env, envFiles }: VariablesRequest,
  workspace: string = workspacePath(app.cwd, '.'),
): Record<string, string> {
  const ofFiles = envFiles.map((path) =>
    parseEnvFile(path, fileText(app, path, 'the file of variables', workspace, fileMaxBytes)),
  );
  const ofFlags = env.map(({ name, value }) =>
    value === undefined ? taken(app, [name], '--env') : { [name]: value },
  );
  return Object.assign({}, ...ofFiles, ...ofFlags);
}

/** Variables of coi's own environment. */
function taken(app: AppContext, names: readonly string[], whose: string): Variables {
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = app.env[name];
    if (value === undefined) app.report.warn(`${whose}: ${name} is not set on this host`);
    else values[name] = value;
  }
  return values;
}

/** What commands of the user's print, each variable by its own. */
function commanded(app: AppContext, settings: ResolvedConfig['settings']): Variables {
  const timeoutMs = settings['defaults.env_command_timeout'];
  const values: Record<string, string> = {};
  for (const [name, command] of Object.entries(settings['defaults.env_commands'])) {
    const said = answerOf(['sh', '-c', command], { timeoutMs, cwd: app.user.home });
    if (said === undefined) app.report.warn(`env_commands: the command for ${name} failed`);
    else values[name] = said;
  }
  return values;
}
