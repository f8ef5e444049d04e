import { describe, expect, it } from 'vitest';
import { allowedOrigin, corsEdits, isPreflight, preflightFields } from './cors.ts';
import { aHead } from './heads.testing.ts';
import type { Cors } from './route-policy.ts';

const cors: Cors = {
  origins: ['https://a.com', 'https://*.b.com:8443'],
  methods: 'GET, POST',
  headers: 'X-One',
  exposeHeaders: 'X-Two',
  credentials: true,
  maxAgeSeconds: 60,
};

describe('CORS', () => {
  it.each([
    ['https://a.com', 'https://a.com'],
    ['https://A.com', 'https://A.com'],
    ['http://a.com', undefined],
    ['https://a.com:8443', undefined],
    ['https://a.com.evil.com', undefined],
    ['https://x.b.com:8443', 'https://x.b.com:8443'],
    ['https://x.y.b.com:8443', undefined],
    ['https://b.com:8443', undefined],
    ['https://.b.com:8443', undefined],
    ['https://evil.com/.b.com:8443', undefined],
    ['null', undefined],
    ['', undefined],
  ])('the origin %s is answered with %s', (origin, expected) => {
    expect(allowedOrigin(cors, aHead({ fields: ['Origin', origin] }))).toBe(expected);
  });

  it('a star is for everybody who names an origin', () => {
    const open = { ...cors, origins: ['*'] };
    expect(allowedOrigin(open, aHead({ fields: ['Origin', 'https://x.com'] }))).toBe('*');
    expect(allowedOrigin(open, aHead())).toBeUndefined();
  });

  it('a preflight is an OPTIONS that names an origin and a method', () => {
    const fields = ['Origin', 'https://a.com', 'Access-Control-Request-Method', 'PUT'];
    expect(isPreflight(aHead({ method: 'OPTIONS', fields }))).toBe(true);
    expect(isPreflight(aHead({ method: 'GET', fields }))).toBe(false);
    expect(isPreflight(aHead({ method: 'OPTIONS', fields: fields.slice(0, 2) }))).toBe(false);
    expect(isPreflight(aHead({ method: 'OPTIONS', fields: fields.slice(2) }))).toBe(false);
  });

  it('its answer says what is allowed', () => {
    expect(preflightFields(cors, 'https://a.com')).toEqual([
      'Access-Control-Allow-Origin',
      'https://a.com',
      'Access-Control-Allow-Credentials',
      'true',
      'Access-Control-Allow-Methods',
      'GET, POST',
      'Access-Control-Allow-Headers',
      'X-One',
      'Access-Control-Max-Age',
      '60',
      'Vary',
      'Origin',
    ]);
  });

  it('other answers say who may read them, and caches that it depends', () => {
    expect(corsEdits(cors, 'https://a.com')).toEqual({
      set: [
        ['Access-Control-Allow-Origin', 'https://a.com'],
        ['Access-Control-Allow-Credentials', 'true'],
        ['Access-Control-Expose-Headers', 'X-Two'],
      ],
      add: [['Vary', 'Origin']],
      remove: [],
    });
    expect(corsEdits(cors, undefined)).toEqual({ set: [], add: [['Vary', 'Origin']], remove: [] });
    expect(corsEdits({ ...cors, origins: ['*'], credentials: false, exposeHeaders: undefined }, '*')).toEqual(
      {
        set: [['Access-Control-Allow-Origin', '*']],
        add: [],
        remove: [],
      },
    );
  });
});
