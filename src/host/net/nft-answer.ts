// What nft's answers in JSON say: the objects of a listing, and whether an echo confirms the commands that were asked. Pure.

/** `{ rule: {…} }`, `{ set: {…} }` and so on. */
export type NftObject = Readonly<Record<string, unknown>>;

/** The objects of a listing. Undefined if the text is none: a listing has its `metainfo` even where nothing is there. */
export function listedObjects(text: string): NftObject[] | undefined {
  const answer = answered(text);
  if (!answer?.some((object) => 'metainfo' in object)) return undefined;
  return answer.filter((object) => !('metainfo' in object));
}

/**
 * Why this echo does not prove that the commands were carried out; undefined if it does. nft (1.0.6 and 1.1.3 alike)
 * echoes the transaction that it read when the kernel has taken it, and adds to new objects the handle that the kernel
 * gave. Commands that delete, flush or add elements have no handle: there the echo shows that nft read them and that the
 * transaction which they are part of, all of it or nothing, went through. An object that was there before may have none
 * either; a rule is always new.
 */
export function unconfirmed(commands: readonly unknown[], echo: string): string | undefined {
  if (echo.trim() === '') return 'its answer is empty';
  const answer = answered(echo);
  if (!answer) return 'its answer is not its JSON';
  if (answer.length !== commands.length)
    return `it read ${answer.length} of ${commands.length} commands`;
  const at = commands.findIndex((command, index) => !holds(answer[index], command));
  if (at !== -1) return `command ${at + 1} of ${commands.length} is another one in its answer`;
  const rule = answer.findIndex(isRuleWithoutHandle);
  return rule === -1
    ? undefined
    : `the kernel gave no handle to the rule of command ${rule + 1} of ${commands.length}`;
}

function answered(text: string): NftObject[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const list = isObject(value) ? value['nftables'] : undefined;
  return Array.isArray(list) && list.every(isObject) ? list : undefined;
}

/** Everything that was asked is in what was answered, which may hold more, such as handles. */
function holds(answer: unknown, asked: unknown): boolean {
  if (Array.isArray(asked))
    return (
      Array.isArray(answer) &&
      answer.length === asked.length &&
      asked.every((part, index) => holds(answer[index], part))
    );
  if (isObject(asked))
    return (
      isObject(answer) &&
      Object.entries(asked).every(([key, part]) => part === undefined || holds(answer[key], part))
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
