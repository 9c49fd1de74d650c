/** Values for properties that must hold for all of them: the same ones in every run, told apart by the seed. */
export interface Generator {
  /** From 0 to below `limit`. */
  below(limit: number): number;
  oneOf<T>(values: readonly T[]): T;
  /** Text of `length` characters out of `alphabet`. */
  text(alphabet: string, length: number): string;
}

/** https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32 */
export function createGenerator(seed: number): Generator {
  let state = seed >>> 0;
  function below(limit: number): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }
  return {
    below,
    oneOf: <T>(values: readonly T[]) => values[below(values.length)] as T,
    text: (alphabet, length) => Array.from({ length }, () => alphabet[below(alphabet.length)]).join(''),
  };
}
