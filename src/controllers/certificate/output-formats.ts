import type { Certificate } from '../../api/cert-manager/certificate.ts';
import { parsePem } from '../../pki/pem.ts';
import type { KeyPair } from './secret.ts';

type OutputFormat = NonNullable<Certificate['spec']['additionalOutputFormats']>[number]['type'];

/** What a format is made of. */
type Content = Pick<KeyPair, 'privateKey' | 'chain'>;

interface Format {
  /** Its entry in the Secret. */
  readonly entry: string;
  readonly contentOf: (pair: Content) => Buffer | undefined;
}

const formats: Readonly<Record<OutputFormat, Format>> = {
  CombinedPEM: {
    entry: 'tls-combined.pem',
    contentOf: ({ privateKey, chain }) => Buffer.from(`${privateKey}\n${chain}`),
  },
  DER: { entry: 'key.der', contentOf: ({ privateKey }) => keyDer(privateKey) },
};

/** The entries of the additional output formats. */
export const formatEntries: readonly string[] = Object.values(formats).map(({ entry }) => entry);

/**
 * `data` with the formats that the spec asks for, made of `pair`. One that it does not ask for is taken away where it is
 * what we would have made of `stored`, the pair in the Secret until now; what else somebody put there stays.
 */
export function withOutputFormats(
  data: Readonly<Record<string, string>>,
  { spec }: Certificate,
  pair: Content,
  stored: { readonly [K in keyof Content]: Content[K] | undefined } | undefined,
): Record<string, string> {
  const result = { ...data };
  for (const [type, { entry, contentOf }] of Object.entries(formats)) {
    const found = result[entry];
    if (spec.additionalOutputFormats?.some(format => format.type === type) === true) {
      result[entry] = contentOf(pair)?.toString('base64') ?? '';
    } else if (found !== undefined) {
      const { privateKey = '', chain = '' } = stored ?? {};
      if (contentOf({ privateKey, chain })?.toString('base64') === found) delete result[entry];
    }
  }
  return result;
}

/** The key in the encoding that it has in its PEM. */
function keyDer(privateKey: string): Buffer | undefined {
  try {
    return parsePem(privateKey, 'PKI_KEY_INVALID').find(({ label }) => label.endsWith('PRIVATE KEY'))?.der;
  } catch {
    return undefined;
  }
}
