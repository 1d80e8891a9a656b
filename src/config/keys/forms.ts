// Text formats that several keys share.
import { tableOf } from './compound.ts';
import { nonEmpty, text, ValueProblem, type ValueType } from './values.ts';

export const variable = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
export const variables = tableOf(text(), variable, 'variable name');
export const variableName = nonEmpty(text(variable, 'the name of a variable'));
export const anyName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** A key in tmux notation, except those a terminal needs: Enter, Tab, Escape, Backspace, Ctrl-c, Ctrl-d. */
export const prefixPattern =
  /^(?:C-[abefgklnopqrstuvwxyz]|C-Space|C-[\\\]^_]|M-[a-z0-9]|F(?:[1-9]|1[0-2]))$/;

/** A Unix socket path, or `tcp:PORT` or `tcp:ADDRESS:PORT` on the loopback; the result always has an address. */
export function socketAt(path: ValueType<string>): ValueType<string> {
  return {
    schema: { type: 'string' },
    parse: (value, bases) => {
      if (typeof value !== 'string' || !value.startsWith('tcp:')) return path.parse(value, bases);
      const [, address = '127.0.0.1', port] =
        /^tcp:(?:(127(?:\.\d{1,3}){3}|\[::1\]):)?(\d{1,5})$/.exec(value) ?? [];
      const isPort = Number(port) >= 1 && Number(port) <= 65_535;
      if (!isPort || address.split('.').some((part) => Number(part) > 255))
        throw new ValueProblem('must be a path or a loopback port such as "tcp:8080"');
      return `tcp:${address}:${Number(port)}`;
    },
  };
}
