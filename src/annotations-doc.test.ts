import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withAnnotationTables } from '../docs/annotation-tables.ts';
import { withNginxTables } from '../docs/nginx-annotation-tables.ts';

const root = join(import.meta.dirname, '..');
const text = readFileSync(join(root, 'docs', 'annotations.md'), 'utf8');
const nginxText = readFileSync(join(root, 'docs', 'annotations-nginx.md'), 'utf8');
const documented = new Set([
  ...[...text.matchAll(/`([a-z0-9.-]+\/[\w.-]+)`/g)].map(([, key = '']) => key),
  ...[...nginxText.matchAll(/^\| `([\w-]+)` \|/gm)].map(
    ([, name = '']) => `nginx.ingress.kubernetes.io/${name}`,
  ),
]);

const sources = new Map(
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(path => /(?<!\.test|\.testing|\.d)\.ts$/.test(path))
    .map(path => [path, readFileSync(join(root, 'src', path), 'utf8')]),
);

function found(pattern: RegExp, where: (path: string) => boolean = () => true): string[] {
  const texts = [...sources].filter(([path]) => where(path)).map(([, source]) => source);
  return texts.flatMap(source => [...source.matchAll(pattern)].map(([, name = '']) => name));
}

describe('docs/annotations.md', () => {
  it('has the tables of the code; else: node docs/generate.ts', () => {
    expect(withAnnotationTables(text)).toBe(text);
  });

  it('names every annotation that has a constant in the sources', () => {
    const keys = found(/\bconst \w*(?:Annotation|Property)\s*=\s*'([^']+)'/g);
    expect(keys.length).toBeGreaterThan(50);
    expect(keys.filter(key => !documented.has(key))).toEqual([]);
  });

  it('names no annotation that the sources do not', () => {
    const all = [...sources.values()].join('\n');
    const isNamed = (key: string): boolean => all.includes(`'${key}'`);
    const keys = [...text.matchAll(/^(?:\||-) `([^`]+\/[^`]+)`/gm)].map(([, key = '']) => key);
    expect(keys.length).toBeGreaterThan(50);
    expect(keys.filter(key => !isNamed(key))).toEqual([]);
  });
});

describe('docs/annotations-nginx.md', () => {
  it('has the tables of the code; else: node docs/generate.ts', () => {
    expect(withNginxTables(nginxText)).toBe(nginxText);
  });
});
