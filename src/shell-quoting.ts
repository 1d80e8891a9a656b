// Quoting for a POSIX shell. Pure.

/** Quotes any text as one word. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Quotes a word only if needed, for people to read. */
export function shellQuoteIfNeeded(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : shellQuote(text);
}
