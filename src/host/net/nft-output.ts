// Reads nft's JSON output: the objects of a listing, and whether an echo confirms the commands. Pure.

/** `{ rule: {…} }`, `{ set: {…} }` and so on. */
export type NftObject = Readonly<Record<string, unknown>>;

/** The objects of a listing. Undefined if the text is not a listing: even an empty one has `metainfo`. */
export function parseListing(text: string): NftObject[] | undefined {
  const answer = parseOutput(text);
  if (!answer?.some((object) => 'metainfo' in object)) return undefined;
  return answer.filter((object) => !('metainfo' in object));
}

/**
 * Why this echo does not prove that the commands were applied; undefined if it does. nft (both 1.0.6 and 1.1.3)
 * echoes the transaction after the kernel has accepted it, and adds the kernel's handle to new objects. Commands that
 * delete, flush or add elements have no handle: their echo shows that nft read them and that their transaction, which is
 * atomic, succeeded. An object that existed before may have no handle either; a rule is always new.
 */
export function echoMismatch(commands: readonly unknown[], echo: string): string | undefined {
  if (echo.trim() === '') return 'its output is empty';
  const answer = parseOutput(echo);
  if (!answer) return 'its output is not nft JSON';
  if (answer.length !== commands.length)
    return `it read ${answer.length} of ${commands.length} commands`;
  const at = commands.findIndex((command, index) => !includesAll(answer[index], command));
  if (at !== -1) return `command ${at + 1} of ${commands.length} differs in its output`;
  const rule = answer.findIndex(isRuleWithoutHandle);
  return rule === -1
    ? undefined
    : `the kernel gave no handle to the rule of command ${rule + 1} of ${commands.length}`;
}

function parseOutput(text: string): NftObject[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const list = isObject(value) ? value['nftables'] : undefined;
  return Array.isArray(list) && list.every(isObject) ? list : undefined;
}

/** Whether `answer` contains everything in `asked`; it may contain more, such as handles. */
function includesAll(answer: unknown, asked: unknown): boolean {
  if (Array.isArray(asked))
    return (
      Array.isArray(answer) &&
      answer.length === asked.length &&
      asked.every((part, index) => includesAll(answer[index], part))
    );
  if (isObject(asked))
    return (
      isObject(answer) &&
      Object.entries(asked).every(
        ([key, part]) => part === undefined || includesAll(answer[key], part),
      )
    );
  return answer === asked;
}

function isRuleWithoutHandle(command: NftObject): boolean {
  return ['add', 'insert', 'replace'].some((verb) => {
    const subject = command[verb];
    const rule = isObject(subject) ? subject['rule'] : undefined;
    return isObject(rule) && typeof rule['handle'] !== 'number';
  });
}

function isObject(value: unknown): value is NftObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
