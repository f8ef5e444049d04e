import type { PathSpec } from './objects.ts';

type Row = readonly [statement: number | string, host: string, path: string, expected: string | number];

/** Host, paths. What is asked of them is below. */
export const sites: readonly (readonly [host: string, paths: readonly PathSpec[], name?: string])[] = [
  ['*.wild.example.com', [['/', 'Prefix', 'two']], 'wild'],
  ['precise.wild.example.com', [['/only', 'Prefix', 'three']], 'precise'],
  [
    'table.example.com',
    [
      ['/', 'Prefix', 'one'],
      ['/foo', 'Exact', 'three'],
      ['/bar/', 'Exact', 'three'],
      ['/aaa/bbb', 'Prefix', 'two'],
    ],
  ],
  [
    'exact.example.com',
    [
      ['/foo', 'Exact', 'three'],
      ['/bar/', 'Exact', 'two'],
    ],
  ],
  [
    'slash.example.com',
    [
      ['/foo/', 'Prefix', 'two'],
      ['/aaa/bb', 'Prefix', 'three'],
    ],
  ],
  [
    'nested.example.com',
    [
      ['/', 'Prefix', 'one'],
      ['/aaa', 'Prefix', 'two'],
      ['/aaa/bbb', 'Prefix', 'three'],
    ],
  ],
  [
    'order.example.com',
    [
      ['/foo/', 'Prefix', 'two'],
      ['/foo', 'Exact', 'three'],
    ],
  ],
  [
    'implied.example.com',
    [
      ['', 'ImplementationSpecific', 'one'],
      ['/part', 'ImplementationSpecific', 'two'],
    ],
  ],
];

/** What is asked, by the number of the statement, and which upstream answers, or with what status. */
export const rows: readonly Row[] = [
  [1, 'bar.wild.example.com', '/', 'two'],
  [1, 'wild.example.com', '/', 404],
  [1, 'a.b.wild.example.com', '/', 404],
  [2, 'TABLE.Example.com', '/', 'one'],
  [2, 'table.example.com:80', '/', 'one'],
  [2, 'table.example.com.', '/', 'one'],
  [3, 'precise.wild.example.com', '/only/this', 'three'],
  [3, 'precise.wild.example.com', '/', 404],
  [3, 'precise.wild.example.com', '/hostless', 404],
  [3, 'other.wild.example.com', '/hostless', 'two'],
  [4, '10.77.0.10', '/hostless', 'three'],
  [4, '10.77.0.10', '/', 404],
  [4, '', '/hostless', 'three'],
  [4, 'unheard.example.org', '/hostless', 'three'],
  ['4, paths', 'table.example.com', '/anything', 'one'],
  ['4, paths', 'exact.example.com', '/foo', 'three'],
  ['4, paths', 'exact.example.com', '/foo/', 404],
  ['4, paths', 'exact.example.com', '/FOO', 404],
  ['4, paths', 'exact.example.com', '/bar', 404],
  ['4, paths', 'exact.example.com', '/bar/', 'two'],
  ['4, paths', 'slash.example.com', '/foo', 'two'],
  ['4, paths', 'slash.example.com', '/foo/', 'two'],
  ['4, paths', 'slash.example.com', '/aaa/bbb', 404],
  ['4, paths', 'nested.example.com', '/aaa/bbb/ccc', 'three'],
  ['4, paths', 'nested.example.com', '/aaa/bbb/', 'three'],
  ['4, paths', 'nested.example.com', '/aaa/bbbxyz', 'two'],
  ['4, paths', 'nested.example.com', '/aaa/ccc', 'two'],
  ['4, paths', 'nested.example.com', '/ccc', 'one'],
  ['4, paths', 'table.example.com', '/foo?x=/aaa/bbb', 'three'],
  [5, 'order.example.com', '/foo', 'three'],
  [5, 'order.example.com', '/foo/', 'two'],
  [7, 'implied.example.com', '/part/below', 'two'],
  [7, 'implied.example.com', '/partly', 'one'],
  [7, 'matched.example.com', '/starts/below', 'one'],
  [7, 'matched.example.com', '/equal', 'two'],
  [7, 'matched.example.com', '/equal/below', 404],
  [7, 'matched.example.com', '/regex/12', 'three'],
  [7, 'matched.example.com', '/regex/x', 404],
  [8, 'nobody.example.org', '/', 404],
  [9, 'resource.example.com', '/', 503],
  [9, 'resource.example.com', '/well', 'one'],
  [10, 'ports.example.com', '/by-name', 'one'],
  [10, 'ports.example.com', '/by-number', 'two'],
  [11, 'broken.example.com', '/missing', 503],
  [11, 'broken.example.com', '/wrong-port', 503],
  [11, 'broken.example.com', '/empty', 503],
  [11, 'broken.example.com', '/well', 'one'],
  [12, 'headless.example.com', '/', 'two'],
  [13, 'conditions.example.com', '/null', 'one'],
  [13, 'conditions.example.com', '/false', 'two'],
  [14, 'classed.example.com', '/', 'one'],
  [14, 'unknown-class.example.com', '/', 404],
  [14, 'classless.example.com', '/', 404],
  [14, 'by-annotation.example.com', '/', 'one'],
  [14, 'legacy-class.example.com', '/', 'one'],
];
