// Removes secrets and control characters from recorded text: command lines may contain both.

const hidden = '[hidden]';

const secrets: readonly (readonly [RegExp, string])[] = [
  // NAME=value and --name value with a telling name.
  [
    /\b([\w-]*(?:token|secret|passw(?:or)?d|passwd|api[_-]?key|apikey|credential|private[_-]?key|auth)[\w-]*\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)/gi,
    `$1${hidden}`,
  ],
  [
    /(\s--?[\w-]*(?:token|secret|passw(?:or)?d|api-?key|credential|auth)[\w-]*\s+)("[^"]*"|'[^']*'|[^\s"'-][^\s"']*)/gi,
    `$1${hidden}`,
  ],
  [/\b((?:Bearer|Basic|token)\s+)[A-Za-z0-9._~+/=-]{8,}/g, `$1${hidden}`],
  // user:password@ in a URL.
  [/(\b[a-z][a-z0-9+.-]{1,15}:\/\/[^\s:/@]{1,100}:)[^\s@/]{1,200}@/gi, `$1${hidden}@`],
  // Known key formats.
  [
    /\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}|\bgh[pousr]_[A-Za-z0-9]{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[\w-]{30,}|\bnpm_[A-Za-z0-9]{20,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*/g,
    hidden,
  ],
  [/-----BEGIN [\w ]{0,40}PRIVATE KEY-----/g, hidden],
  // Long random words: upper and lower case and digits, unlike paths.
  [
    /(?<![\w/.-])(?=[A-Za-z0-9_+=-]{0,100}[a-z])(?=[A-Za-z0-9_+=-]{0,100}[A-Z])(?=[A-Za-z0-9_+=-]{0,100}\d)[A-Za-z0-9_+=-]{32,}(?![\w/.])/g,
    hidden,
  ],
];

const textMax = 1000;
const itemsMax = 50;

/** Text that is safe to log and print: one line without secrets and control characters, from at most 1000 characters. */
export function redacted(text: string): string {
  let clean = text.slice(0, textMax);
  for (const [pattern, replacement] of secrets) clean = clean.replace(pattern, replacement);
  return clean.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

/** Redacts all strings in evidence. */
export function redactedEvidence(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redacted(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > 4) return hidden;
  if (Array.isArray(value))
    return value.slice(0, itemsMax).map((item) => redactedEvidence(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, itemsMax)
      .map(([key, item]) => [redacted(key), redactedEvidence(item, depth + 1)]),
  );
}
