// Links are read by a thread; a blocked one is set aside, and others continue.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type LinkReader, LinkThreads, linksMax } from './proc-links.ts';

const directory = mkdtempSync('/tmp/coit-links-');
after(() => rmSync(directory, { recursive: true, force: true }));
const limitMs = 5000;

test('link targets come in path order, and an empty string if there is no link', () => {
  symlinkSync('é:[1]', join(directory, 'one'));
  const threads = new LinkThreads();
  const paths = [join(directory, 'one'), join(directory, 'none'), '/proc/self/exe'];
  assert.deepEqual(threads.read(paths, limitMs), ['é:[1]', '', process.execPath]);
  assert.deepEqual(threads.read(['/proc/self/nowhere'], limitMs), ['']);
  assert.equal(threads.hasBlocked, false);
});

test('the maximum number of longest targets fits into one request', () => {
  const longest = 'é'.repeat(2047);
  symlinkSync(longest, join(directory, 'long'));
  const paths = Array.from({ length: linksMax }, () => join(directory, 'long'));
  const read = new LinkThreads().read(paths, limitMs);
  assert.deepEqual(
    read,
    paths.map(() => longest),
  );
});

test('a thread that does not answer is set aside until it does, and the next request uses another one', () => {
  const made: FakeReader[] = [];
  const threads = new LinkThreads(() => {
    const one = new FakeReader(made.length === 0 ? undefined : ['there']);
    made.push(one);
    return one;
  });
  const blocked = threads.read(['a'], 1);
  assert.ok('isOver' in blocked);
  assert.equal(blocked.isOver(), false);
  assert.equal(threads.hasBlocked, true);
  assert.deepEqual(threads.read(['b'], 1), ['there']);
  assert.deepEqual(threads.read(['c'], 1), ['there']);
  assert.equal(made.length, 2);
  assert.deepEqual([made[0]?.isLeft, made[1]?.isLeft], [true, false]);
  made[0]?.answer();
  assert.equal(blocked.isOver(), true);
  assert.equal(threads.hasBlocked, false);
});

test('at most eight threads are set aside', () => {
  const made: FakeReader[] = [];
  const threads = new LinkThreads(() => {
    const one = new FakeReader(undefined);
    made.push(one);
    return one;
  });
  for (let index = 0; index < 12; index += 1) assert.ok('isOver' in threads.read(['a'], 1));
  assert.equal(made.length, 8);
});

class FakeReader implements LinkReader {
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

  answer(): void {
    this.#over = true;
  }
}
