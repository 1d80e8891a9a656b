// Makes an ask from text of a container: clean and short. Pure.
import type { Ask, AskOption } from './activity.ts';
import { cleanLine, cleanText } from './clean.ts';

const idMax = 100;
const titleMax = 120;
const bodyMax = 4096;
const optionMax = 200;
const optionsMax = 12;

export interface RawAsk {
  readonly id: string;
  readonly kind: Ask['kind'];
  /** If it is too long, it is the body too. */
  readonly title: string;
  readonly body?: string;
  readonly options?: readonly {
    readonly id: string;
    readonly label: string;
    readonly note?: string;
  }[];
  readonly multiple?: boolean;
  readonly subAgent?: boolean;
}

export function makeAsk({
  id,
  kind,
  title,
  body = '',
  options = [],
  multiple,
  subAgent,
}: RawAsk): Ask {
  const about = body === '' && title.length > titleMax ? title : body;
  const { text, truncated } = cleanText(about, bodyMax);
  return {
    id: cleanLine(id, idMax),
    kind,
    title: cleanLine(title, titleMax),
    ...(text !== '' && { body: text }),
    ...(truncated && { truncated }),
    options: options.slice(0, optionsMax).map(makeOption),
    ...(multiple === true && { multiple }),
    ...(subAgent === true && { subAgent }),
  };
}

function makeOption({ id, label, note = '' }: NonNullable<RawAsk['options']>[number]): AskOption {
  return {
    id: cleanLine(id, idMax),
    label: cleanLine(label, optionMax),
    ...(note !== '' && { note: cleanLine(note, optionMax) }),
  };
}
