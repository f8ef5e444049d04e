import type { ConfigSources } from './config.ts';

/** What a configuration is loaded from: nothing is given, on a machine with one address. */
export function someSources(
  given: Partial<ConfigSources> & { readonly files?: Record<string, string> } = {},
): ConfigSources {
  const { files = {}, ...rest } = given;
  return {
    argv: [],
    environment: {},
    readFile(path) {
      const content = files[path];
      if (content === undefined) throw new Error('no such file');
      return content;
    },
    isTty: false,
    homeDir: '/home/someone',
    addresses: () => ['192.0.2.7'],
    ...rest,
  };
}
