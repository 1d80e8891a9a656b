// Forms of text that several keys share.
import { named } from './compound.ts';
import { filled, text } from './values.ts';

export const variable = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
export const variables = named(text(), variable, 'name for a variable');
export const variableName = filled(text(variable, 'the name of a variable'));
export const anyName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
