import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { settingsOfCommands, withTables } from '../docs/generate.ts';
import { acmeErrorCodes } from './acme/errors.ts';
import { validateObject } from './api/schemas.ts';
import { settingsOf } from './config/setting.ts';
import { declarationOf } from './kube/standalone/declared-object.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Every Markdown file of the repository, by its path, without what is installed or built. */
const markdown = new Map(
  readdirSync(root, { withFileTypes: true })
    .flatMap(entry => {
      if (['node_modules', 'dist', '.git', 'coverage'].includes(entry.name)) return [];
      if (!entry.isDirectory()) return [entry.name];
      const below = readdirSync(join(root, entry.name), { recursive: true, encoding: 'utf8' });
      return below.filter(path => !path.includes('node_modules')).map(path => join(entry.name, path));
    })
    .filter(path => path.endsWith('.md'))
    .map(path => [path, read(path)] as const),
);

const fence = /^( *)```(\w*)\n([\s\S]*?)^ *```$/gm;

/** The code blocks of a file in one language. */
function blocksOf(text: string, ...languages: string[]): string[] {
  return [...text.matchAll(fence)]
    .filter(([, , language = '']) => languages.includes(language))
    .map(([, , , code = '']) => code);
}

/** What stands in backticks outside of code blocks. */
function spansOf(text: string): string[] {
  return [...text.replaceAll(fence, '').matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
}

/** Codes of errors in the sources: by what they are given to, and by the prefixes that such codes have. */
function codesInSource(): { readonly codes: Set<string>; readonly patterns: RegExp[] } {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(path => /(?<!\.test|\.testing|\.d)\.ts$/.test(path))
    .map(path => ({ path, text: read(join('src', path)) }));
  const code = '([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)';
  const codes = new Set<string>();
  const take = (text: string, pattern: RegExp): void => {
    for (const [, found = ''] of text.matchAll(pattern)) codes.add(found);
  };
  for (const { path, text } of sources) {
    take(text, new RegExp(`\\bcode: '${code}'`, 'g'));
    take(text, new RegExp(`new \\w*Error\\(\\s*'${code}'`, 'g'));
    take(text, new RegExp(`\\bconst \\w*(?:[cC]ode|Missing) = '${code}'`, 'g'));
    // Tables and unions of codes.
    if (path.endsWith('errors.ts')) take(text, new RegExp(`^ +(?:\\| )?'?${code}'?(?::|;| //|$)`, 'gm'));
  }
  const prefixes = [...new Set([...codes].map(one => one.split('_')[0] ?? ''))].join('|');
  const patterns: RegExp[] = [];
  for (const { text } of sources) {
    // In brackets stands the name of an environment variable.
    take(text, new RegExp(`(?<!\\[)'((?:${prefixes})(?:_[A-Z0-9]+)+)'`, 'g'));
    for (const [, template = ''] of text.matchAll(/code: `([A-Z][A-Z0-9_]*\$\{[^`]*)`/g))
      patterns.push(new RegExp(`^${template.replaceAll(/\$\{[^}]*\}/g, '[A-Z]+')}$`));
  }
  return { codes, patterns };
}

describe('docs/errors.md', () => {
  const documented = [...read('docs/errors.md').matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map(
    ([, code = '']) => code,
  );
  const { codes, patterns } = codesInSource();

  it('is compared with codes that are found', () => {
    expect([...codes]).toEqual(expect.arrayContaining([...acmeErrorCodes]));
    expect(codes.size).toBeGreaterThan(70);
    expect(patterns).not.toHaveLength(0);
  });

  it('lists every code of the sources, once', () => {
    expect([...codes].filter(code => !documented.includes(code))).toEqual([]);
    expect(patterns.filter(pattern => !documented.some(code => pattern.test(code)))).toEqual([]);
    expect(documented.filter((code, at) => documented.indexOf(code) !== at)).toEqual([]);
  });

  it('lists no code that there is not', () => {
    const known = (code: string): boolean => codes.has(code) || patterns.some(pattern => pattern.test(code));
    expect(documented.filter(code => !known(code))).toEqual([]);
  });
});

describe('docs/configuration.md', () => {
  it('has the settings of src/config; else: node docs/generate.ts', () => {
    const text = read('docs/configuration.md');
    expect(withTables(text)).toBe(text);
  });
});

describe('docs/dependencies.md', () => {
  const documented = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \|/gm)].map(
    ([, name = '']) => name,
  );
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as {
    dependencies: Record<string, string>;
    devDependencies: Record<string, string>;
  };

  it('names every dependency of package.json, and nothing that is neither there nor imported', () => {
    const names = [...Object.keys(dependencies), ...Object.keys(devDependencies)];
    const imported = new Set(
      ['src', 'e2e', 'bench']
        .flatMap(folder =>
          readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
            .filter(path => path.endsWith('.ts') && !path.includes('node_modules'))
            .map(path => read(join(folder, path))),
        )
        .flatMap(text => [...text.matchAll(/^(?:import|} from|import .* from) '((?:@[\w-]+\/)?[\w-]+)/gm)])
        .map(([, name = '']) => name),
    );
    expect(names.filter(name => !documented.includes(name))).toEqual([]);
    expect(documented.filter(name => !names.includes(name) && !imported.has(name))).toEqual([]);
    expect(documented.filter((name, at) => documented.indexOf(name) !== at)).toEqual([]);
  });
});

describe('ARCHITECTURE.md', () => {
  it('says of each room what src/architecture.test.ts lets it import', () => {
    const [, table = ''] =
      /const rooms[^=]*= \{\n([\s\S]*?)^\};/m.exec(read('src/architecture.test.ts')) ?? [];
    const rooms = [...table.matchAll(/^ {2}(\w+): \[([^\]]*)\]/gm)].map(([, room, imports = '']) => [
      room,
      imports.replaceAll("'", ''),
    ]);
    const rows = [...read('ARCHITECTURE.md').matchAll(/^\| `src\/(\w+)\/` \|[^|]*\|([^|]*)\|/gm)];
    expect(rooms).not.toHaveLength(0);
    expect(rows.map(([, room, imports = '']) => [room, imports.trim()])).toEqual(rooms);
  });
});

describe('links', () => {
  /** The anchors of a file's headings, as GitHub makes them. */
  function anchorsOf(text: string): Set<string> {
    const anchors = new Set<string>();
    for (const [, heading = ''] of text.replaceAll(fence, '').matchAll(/^#{1,6} +(.+)$/gm)) {
      const base = heading
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\p{Pc} -]/gu, '')
        .replaceAll(' ', '-');
      let anchor = base;
      for (let again = 1; anchors.has(anchor); again += 1) anchor = `${base}-${again}`;
      anchors.add(anchor);
    }
    return anchors;
  }

  function brokenLinks(path: string, text: string): string[] {
    const prose = text.replaceAll(fence, '').replaceAll(/`[^`\n]*`/g, '');
    const targets = [
      ...prose.matchAll(/\]\(([^()\s]+)(?: "[^"]*")?\)/g),
      ...prose.matchAll(/\b(?:src|href|srcset)="([^"]+)"/g),
    ].map(([, target = '']) => target);
    return targets.filter(target => {
      if (/^[a-z]+:/.test(target)) return false;
      const [file = '', anchor] = target.split('#');
      const found = file === '' ? path : relative(root, resolve(root, dirname(path), file));
      if (!existsSync(join(root, found))) return true;
      return anchor !== undefined && !anchorsOf(markdown.get(found) ?? '').has(anchor);
    });
  }

  it('are found', () => {
    expect([...markdown.keys()]).toContain('README.md');
    expect(read('README.md')).toMatch(/\]\(docs\//);
  });

  it.each([...markdown])('of %s lead somewhere', (path, text) => {
    expect(brokenLinks(path, text)).toEqual([]);
  });
});

describe('commands', () => {
  const targets = new Set([...read('Makefile').matchAll(/^([a-z0-9-]+):/gm)].map(([, name = '']) => name));
  const flagsOf = new Map(
    Object.entries(settingsOfCommands).map(([command, table]) => [
      command,
      new Set(settingsOf(table).map(({ name }) => name)),
    ]),
  );
  const allFlags = new Set([...flagsOf.values()].flatMap(flags => [...flags]));
  /** Flags of other programs that the texts speak of, and the mistake that they show. */
  const foreignFlags = new Set(['check', 'kube-version', 'set', 'standaloan']);
  /** Flags of Node and V8, in what docs/performance.md tells of them. */
  const flagsOfNode = new Set([
    'always-sparkplug',
    'cpu-prof',
    'initial-old-space-size',
    'maglev',
    'max-semi-space-size',
    'min-semi-space-size',
    'allocation-site-pretenuring',
    'trace-gc-nvp',
    'trace-pretenuring-statistics',
    'single-threaded-gc',
    'v8-pool-size',
  ]);
  /** Commands without settings. */
  const plainCommands = new Set(['help', 'version']);

  /** What is meant to be typed, or named as if it were: code blocks, and spans of code in the text. */
  const codeOf = (text: string): string =>
    [...blocksOf(text, 'bash', 'sh', 'text', 'ini', ''), ...spansOf(text)]
      .join('\n')
      .replaceAll(/\\\n\s*/g, '');

  it('of make are targets of the Makefile', () => {
    const missing = [...markdown].flatMap(([path, text]) =>
      [...codeOf(text).matchAll(/^(?:\$ )?make ([a-z0-9-]+)/gm)].flatMap(([, target = '']) =>
        targets.has(target) ? [] : [`${path}: make ${target}`],
      ),
    );
    expect(missing).toEqual([]);
    expect(codeOf(read('README.md'))).toMatch(/^make demo\nmake test$/m);
  });

  it('of postern exist, with their flags', () => {
    const unknown = [...markdown].flatMap(([path, text]) => {
      const found: string[] = [];
      for (const [, command = '', rest = ''] of codeOf(text).matchAll(
        /(?:^|[ /])postern ([a-z]+)([^\n#]*)/gm,
      )) {
        const flags = flagsOf.get(command);
        if (flags === undefined) {
          // After other words it is a name: of a release, a user, a folder.
          if (
            new RegExp(`(?:^|bin/)postern ${command}`, 'm').test(codeOf(text)) &&
            !plainCommands.has(command)
          )
            found.push(`postern ${command}`);
          continue;
        }
        for (const [, flag = ''] of rest.matchAll(/ --(?:no-)?([a-z0-9-]+)/g))
          if (!flags.has(flag) && !foreignFlags.has(flag)) found.push(`postern ${command} --${flag}`);
      }
      for (const span of spansOf(text)) {
        const flag = /^--(?:no-)?([a-z0-9-]+)(?:[ =][^-]*)?$/.exec(span)?.[1];
        if (flag === undefined || allFlags.has(flag) || foreignFlags.has(flag)) continue;
        if (path !== 'docs/performance.md' || !flagsOfNode.has(flag)) found.push(`--${flag}`);
      }
      return found.map(what => `${path}: ${what}`);
    });
    expect(unknown).toEqual([]);
  });
});

describe('manifests', () => {
  /** What Postern would say of the Kubernetes objects in a block; other YAML is passed over. */
  function problemsIn(block: string): string[] {
    return parseAllDocuments(block).flatMap(document => {
      if (document.errors.length > 0) return document.errors.map(({ message }) => message);
      const content = document.toJS() as { kind?: unknown; apiVersion?: unknown } | null;
      if (content?.kind === undefined || content.apiVersion === undefined) return [];
      const declared = declarationOf(content);
      if (declared.kind === 'unusable') return declared.problems.map(({ message }) => message);
      if (declared.kind !== 'declared') return [JSON.stringify(declared)];
      return validateObject(declared.resource, declared.object).problems.map(({ message }) => message);
    });
  }

  it.each([...markdown].filter(([, text]) => text.includes('```yaml')))('in %s are valid', (_path, text) => {
    expect(blocksOf(text, 'yaml').flatMap(problemsIn)).toEqual([]);
  });

  const examples = readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' });
  it.each(examples.filter(path => path.endsWith('.yaml')))('in examples/%s are valid', path => {
    expect(problemsIn(read(join('examples', path)))).toEqual([]);
  });
});
