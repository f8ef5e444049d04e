import { expect, test } from 'vitest';
import { debianSourcesFor, parseDeb822, parseOneLine } from './debian-sources.ts';

test('a deb822 entry of Debian keeps its fields and gains source packages', () => {
  const sources = `# a comment
Types: deb
# another
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://packages.example/node
Suites: nodistro
Components: main
`;
  expect(debianSourcesFor(parseDeb822(sources))).toBe(`Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
`);
});

test('an entry that is switched off stays off', () => {
  const sources =
    'Enabled: no\nTypes: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\nComponents: main\n';
  expect(debianSourcesFor(parseDeb822(sources))).toBe('');
});

test('a key written into the stanza survives', () => {
  const sources =
    'Types: deb\nURIs: http://m.example/debian/\nSuites: x\nSigned-By:\n -----BEGIN\n .\n abc\n';
  expect(debianSourcesFor(parseDeb822(sources))).toContain('Signed-By: \n -----BEGIN\n .\n abc\n');
});

test('one-line entries become stanzas, options included', () => {
  const list = `# deb http://mirror.example/debian old main
deb [arch=amd64,arm64 signed-by=/k.gpg] http://mirror.example/debian-security bookworm-security main contrib # yes
deb http://archive.example/ubuntu jammy main
`;
  expect(debianSourcesFor(parseOneLine(list))).toBe(`Types: deb deb-src
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main contrib
Architectures: amd64 arm64
Signed-By: /k.gpg
`);
});
