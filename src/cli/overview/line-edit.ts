// Editing of a line of input. Pure.
import type { Key } from './keys.ts';
import type { Line } from './model.ts';

export function newLine(text = ''): Line {
  return { text, cursor: [...text].length };
}

/** Line breaks of a paste become spaces: only Enter ends the line. */
export function edited({ text, cursor }: Line, key: Key): Line {
  const characters = [...text];
  const [before, after] = [characters.slice(0, cursor), characters.slice(cursor)];
  const line = (head: readonly string[], tail: readonly string[]): Line => ({
    text: [...head, ...tail].join(''),
    cursor: head.length,
  });
  if (key.kind !== 'named') {
    const typed = [...key.text.replace(/[\r\n\t]+/g, ' ')].filter((one) => !/\p{Cc}/u.test(one));
    return line([...before, ...typed], after);
  }
  switch (key.name) {
    case 'backspace':
      return line(before.slice(0, -1), after);
    case 'delete':
      return line(before, after.slice(1));
    case 'left':
      return line(before.slice(0, -1), [...before.slice(-1), ...after]);
    case 'right':
      return line([...before, ...after.slice(0, 1)], after.slice(1));
    case 'home':
      return line([], characters);
    case 'end':
      return line(characters, []);
    case 'ctrl-u':
      return line([], after);
    case 'ctrl-w':
      return line([...before.join('').replace(/\S+\s*$/, '')], after);
    default:
      return { text, cursor };
  }
}
