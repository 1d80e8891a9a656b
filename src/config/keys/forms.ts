// Forms of text that several keys share.
import { named } from './compound.ts';
import { filled, text, ValueProblem, type ValueType } from './values.ts';

export const variable = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
export const variables = named(text(), variable, 'name for a variable');
export const variableName = filled(text(variable, 'the name of a variable'));
export const anyName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** A key as tmux spells it, but none that a terminal needs: Enter, Tab, Escape, Backspace, Ctrl-c, Ctrl-d. */
export const prefixPattern =
  /^(?:C-[abefgklnopqrstuvwxyz]|C-Space|C-[\\\]^_]|M-[a-z0-9]|F(?:[1-9]|1[0-2]))$/;

/** A unix socket as that path type has it, or `tcp:PORT` and `tcp:ADDRESS:PORT` on the loopback, which become the latter. */
export function socketAt(path: ValueType<string>): ValueType<string> {
  return {
    schema: { type: 'string' },
    parse: (value, place) => {
      if (typeof value !== 'string' || !value.startsWith('tcp:')) return path.parse(value, place);
      const [, address = '127.0.0.1', port] =
        /^tcp:(?:(127(?:\.\d{1,3}){3}|\[::1\]):)?(\d{1,5})$/.exec(value) ?? [];
      const isPort = Number(port) >= 1 && Number(port) <= 65_535;
      if (!isPort || address.split('.').some((part) => Number(part) > 255))
        throw new ValueProblem('must be a path, or a port of the loopback such as "tcp:8080"');
      return `tcp:${address}:${Number(port)}`;
    },
  };
}
