// Links are read by a thread; one that the kernel does not let go is left, and others go on.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type LinkReader, LinkThreads, linksMax } from './proc-links.ts';

const place = mkdtempSync('/tmp/coit-links-');
after(() => rmSync(place, { recursive: true, force: true }));
const limitMs = 5000;

test('targets come in the order of the paths, and a text without anything where there is no link', () => {
  symlinkSync('é:[1]', join(place, 'one'));
  const threads = new LinkThreads();
  const paths = [join(place, 'one'), join(place, 'none'), '/proc/self/exe'];
  assert.deepEqual(threads.read(paths, limitMs), ['é:[1]', '', process.execPath]);
  assert.deepEqual(threads.read(['/proc/self/nowhere'], limitMs), ['']);
  assert.equal(threads.areHeld, false);
});

test('as many of the longest targets as are asked for at once fit', () => {
  const longest = 'é'.repeat(2047);
  symlinkSync(longest, join(place, 'long'));
  const paths = Array.from({ length: linksMax }, () => join(place, 'long'));
  const read = new LinkThreads().read(paths, limitMs);
  assert.deepEqual(
    read,
    paths.map(() => longest),
  );
});

test('a thread that does not answer is left until it does, and the next question gets another one', () => {
  const made: Made[] = [];
  const threads = new LinkThreads(() => {
    const one = new Made(made.length === 0 ? undefined : ['there']);
    made.push(one);
    return one;
  });
  const held = threads.read(['a'], 1);
  assert.ok('isOver' in held);
  assert.equal(held.isOver(), false);
  assert.equal(threads.areHeld, true);
  assert.deepEqual(threads.read(['b'], 1), ['there']);
  assert.deepEqual(threads.read(['c'], 1), ['there']);
  assert.equal(made.length, 2);
  assert.deepEqual([made[0]?.isLeft, made[1]?.isLeft], [true, false]);
  made[0]?.letGo();
  assert.equal(held.isOver(), true);
  assert.equal(threads.areHeld, false);
});

test('no more than eight threads are left', () => {
  const made: Made[] = [];
  const threads = new LinkThreads(() => {
    const one = new Made(undefined);
    made.push(one);
    return one;
  });
  for (let index = 0; index < 12; index += 1) assert.ok('isOver' in threads.read(['a'], 1));
  assert.equal(made.length, 8);
});

class Made implements LinkReader {
  readonly #answer: string[] | undefined;
  #over = false;
  isLeft = false;

  constructor(answer: string[] | undefined) {
    this.#answer = answer;
  }

  read(): readonly string[] | undefined {
    return this.#answer;
  }

  end(): void {
    this.isLeft = true;
  }

  get hasEnded(): boolean {
    return this.#over;
  }

  letGo(): void {
    this.#over = true;
  }
}
