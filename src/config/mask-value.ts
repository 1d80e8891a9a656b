// Masks secret configuration values for screens, logs and bug reports. Pure.
import { isHarmlessVariable } from './keys/harmless-variables.ts';
import type { KeyName, Settings } from './keys/table.ts';

export const hidden = '(hidden)';

/** The value with environment variables hidden, except those that are never secret. */
export function maskValue(name: KeyName, value: unknown): unknown {
  if (name === 'defaults.environment') return maskVariables(value as Settings[typeof name]);
  if (name !== 'tools') return value;
  const tools = Object.entries(value as Settings[typeof name]);
  return Object.fromEntries(
    tools.map(([tool, one]) => [tool, { ...one, environment: maskVariables(one.environment) }]),
  );
}

function maskVariables(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value === '' || isPublic(name) ? value : hidden,
    ]),
  );
}

/** Database URLs may contain a password. */
function isPublic(name: string): boolean {
  return isHarmlessVariable(name) && !name.endsWith('_URL');
}
