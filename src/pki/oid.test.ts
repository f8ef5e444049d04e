import { describe, expect, it } from 'vitest';
import { isOid } from './oid.ts';

describe('an object identifier', () => {
  it.each(['2.5.4.3', '0.9.2342.19200300.100.1.1', '2.999.3', '1.39', '2.5.9007199254740991'])(
    'is %j',
    text => {
      expect(isOid(text)).toBe(true);
    },
  );

  it.each(['', '1', '3.1', '1.40', '1.2.', '1..2', '01.2', '1.02', 'a.b', '1.2 ', '2.5.9007199254740992'])(
    'is not %j',
    text => {
      expect(isOid(text)).toBe(false);
    },
  );
});
