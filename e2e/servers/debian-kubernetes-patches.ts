import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A change of one vendored file: each text is replaced once, and must be there. */
interface Patch {
  readonly file: string;
  readonly replace: readonly (readonly [from: string, to: string])[];
}

/**
 * Kubernetes 1.20 was made for Go 1.15; Debian compiles it with 1.19. These are the places in its vendored packages
 * that mean something else there, each mended as its own project did later.
 */
const patches: readonly Patch[] = [
  // reflect2 1.0.1 links to a function of the runtime that changed in Go 1.18; as it is, most writes of a custom
  // resource end the API server with SIGSEGV. The same change as in reflect2 1.0.2.
  {
    file: 'github.com/modern-go/reflect2/unsafe_link.go',
    replace: [
      ['m unsafe.Pointer) *hiter', 'm unsafe.Pointer, it *hiter)'],
      [
        '\t// rest fields are ignored\n',
        '\tt, h, buckets, bptr unsafe.Pointer\n\toverflow, oldoverflow *[]unsafe.Pointer\n\tstartBucket uintptr\n' +
          '\toffset uint8\n\twrapped bool\n\tB, i uint8\n\tbucket, checkBucket uintptr\n',
      ],
    ],
  },
  {
    file: 'github.com/modern-go/reflect2/unsafe_map.go',
    replace: [
      [
        '\treturn &UnsafeMapIterator{\n\t\thiter:      mapiterinit(type2.rtype, *(*unsafe.Pointer)(obj)),',
        '\tvar it hiter\n\tmapiterinit(type2.rtype, *(*unsafe.Pointer)(obj), &it)\n\treturn &UnsafeMapIterator{\n\t\thiter:      &it,',
      ],
    ],
  },
  // Compares two reflect.Values; with Go 1.19 every empty string in a custom resource comes out as null.
  ...['k8s.io/kube-openapi/pkg/validation/validate/type.go', 'github.com/go-openapi/validate/type.go'].map(
    (file): Patch => ({
      file,
      replace: [
        [
          'data == nil || reflect.DeepEqual(reflect.Zero(reflect.TypeOf(data)), reflect.ValueOf(data))',
          'data == nil',
        ],
      ],
    }),
  ),
];

/** Patches the source of Kubernetes 1.20 in `source`. @throws Error where a file is not what is expected. */
export async function patchKubernetes(source: string): Promise<void> {
  for (const { file, replace } of patches) {
    const path = join(source, 'vendor', file);
    let text = await readFile(path, 'utf8');
    for (const [from, to] of replace) {
      if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}`);
      text = text.replace(from, to);
    }
    await writeFile(path, text);
  }
}
