import { describe, expect, it } from 'vitest';
import { remembering } from './remembering.ts';

describe('remembering', () => {
  it('reads each text once, as long as it is among the last ones asked for', () => {
    const texts: string[] = [];
    const read = remembering(2, text => {
      texts.push(text);
      return { text };
    });
    expect(read('a')).toBe(read('a'));
    read('b');
    read('a');
    read('c'); // drops b, which was not asked for the longest
    read('a');
    read('b');
    expect(texts).toEqual(['a', 'b', 'c', 'b']);
  });

  it('reads again what has thrown', () => {
    let calls = 0;
    const read = remembering(2, () => {
      calls += 1;
      throw new Error('no');
    });
    expect(() => read('a')).toThrow('no');
    expect(() => read('a')).toThrow('no');
    expect(calls).toBe(2);
  });
});
