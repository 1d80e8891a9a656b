// The first values of an iterable that may be long.

export function* take<T>(values: Iterable<T>, count: number): Generator<T, void> {
  let taken = 0;
  for (const value of values) {
    if (taken === count) return;
    taken += 1;
    yield value;
  }
}
