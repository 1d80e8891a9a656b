// Values of the configuration as they may be shown: on a screen that others see, in a log, in a report of a fault. Pure.
import { isHarmlessVariable } from './keys/harmless-variables.ts';
import type { KeyName, Settings } from './keys/table.ts';

export const hidden = '(hidden)';

/** The value with those of variables hidden, but of ones whose value is no secret anywhere. */
export function masked(name: KeyName, value: unknown): unknown {
  if (name === 'defaults.environment') return variables(value as Settings[typeof name]);
  if (name !== 'tools') return value;
  const tools = Object.entries(value as Settings[typeof name]);
  return Object.fromEntries(
    tools.map(([tool, one]) => [tool, { ...one, environment: variables(one.environment) }]),
  );
}

function variables(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value === '' || isPublic(name) ? value : hidden,
    ]),
  );
}

/** The address of a database has its password in it. */
function isPublic(name: string): boolean {
  return isHarmlessVariable(name) && !name.endsWith('_URL');
}
