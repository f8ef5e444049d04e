import { describe, expect, it } from 'vitest';
import { parseManifests } from './manifest-document.ts';

function documentsOf(text: string) {
  const parsed = parseManifests(text);
  if ('error' in parsed) throw new Error(parsed.error.message);
  return parsed.documents;
}

describe('a file of manifests', () => {
  it.each([
    ['nothing', '', []],
    ['comments', '# one\n---\n# two\n', []],
    ['one document', 'a: 1\n', [{ a: 1 }]],
    ['several, with empty ones between', '---\na: 1\n---\n---\n# c\n---\nb: 2\n', [{ a: 1 }, { b: 2 }]],
    ['JSON, indented by tabs', '{\n\t"a": [\n\t\t1\n\t]\n}\n', [{ a: [1] }]],
    ['a byte order mark and CRLF', '\ufeffa: 1\r\nb: |\r\n  x\r\n', [{ a: 1, b: 'x\n' }]],
    [
      'anchors and merge keys',
      'a: &x { b: 1 }\nc:\n  <<: *x\n  d: 2\n',
      [{ a: { b: 1 }, c: { b: 1, d: 2 } }],
    ],
    ['words that YAML 1.1 takes for booleans', 'a: yes\nb: off\n', [{ a: 'yes', b: 'off' }]],
    ['a List', 'kind: List\nitems:\n- a: 1\n- b: 2\n', [{ a: 1 }, { b: 2 }]],
    ['a typed list', '{"kind": "IngressList", "items": [{"a": 1}]}', [{ a: 1 }]],
  ])('of %s', (_, text, expected) => {
    expect(documentsOf(text).map(document => document.content)).toEqual(expected);
  });

  it.each([
    ['a bad indentation', 'a: 1\n b: 2\n', 1],
    ['a quote that is not closed', 'a: "x\nb: 2', 2],
    ['a key given twice', 'a: 1\nb: 2\na: 3\n', 3],
    ['a tab', 'a:\n\tb: 1\n', 2],
    ['an alias of nothing', 'a: 1\nb: *nope\n', 1],
    ['a later document', 'a: 1\n---\nb: [1\n', 4],
    ['JSON that ends early', '{"a": {"b": 1}', 1],
  ])('with %s says where', (_, text, line) => {
    expect(parseManifests(text)).toMatchObject({ error: { line, column: expect.any(Number) } });
  });

  it('does not repeat what stands in it, which may be a Secret', () => {
    const parsed = parseManifests('data: {"a": 1}\n"s3cret": "hunter2": x\nhunter2');
    expect(JSON.stringify(parsed)).toContain('error');
    expect(JSON.stringify(parsed)).not.toMatch(/s3cret|hunter2/);
  });

  it('knows where a field stands', () => {
    const text = [
      '---',
      'kind: List',
      'items:',
      '- metadata:',
      '    name: a',
      '    annotations:',
      '      "example.com/a": x',
      '- spec:',
      '    rules:',
      '    - host: a',
      '    - host: b',
    ].join('\n');
    const [first, second] = documentsOf(text);
    expect(first?.place).toEqual({ line: 4, column: 3 });
    expect(first?.placeOf('metadata.name')).toEqual({ line: 5, column: 5 });
    expect(first?.placeOf('metadata.annotations["example.com/a"]')).toEqual({ line: 7, column: 7 });
    expect(second?.placeOf('spec.rules[1].host')).toEqual({ line: 11, column: 7 });
    expect(second?.placeOf('spec.rules[1].http.paths')).toEqual({ line: 11, column: 7 });
    expect(second?.placeOf('metadata.name')).toEqual(second?.place);
  });
});
