import { createHmac } from 'node:crypto';
import { jksDigestAnnotation, pkcs12DigestAnnotation } from '../../api/annotations.ts';
import type { CertificateKeystores } from '../../api/cert-manager/certificate.ts';
import type { Secret } from '../../api/kubernetes/secret.ts';
import { canonicalJson } from '../../core/canonical-json.ts';
import { remembering } from '../../core/remembering.ts';
import { parseCertificates } from '../../pki/certificate.ts';
import { jksKeyStore, jksTrustStore } from '../../pki/keystores/jks.ts';
import { pkcs12KeyStore, pkcs12TrustStore } from '../../pki/keystores/pkcs12.ts';
import { parsePrivateKey } from '../../pki/private-key.ts';
import { type KeystoreKind, keystoreKinds } from './keystore-passwords.ts';
import type { KeyPair } from './secret.ts';
import type { CertificateState } from './state.ts';

/** What a keystore is made of, beside the pair. */
interface Recipe {
  readonly pair: KeyPair;
  readonly settings: CertificateKeystores;
  readonly password: string;
  readonly nowMs: number;
}

interface Kind {
  readonly keyStoreEntry: string;
  readonly trustStoreEntry: string;
  /** Where the digest stands by which a keystore is known to be up to date. */
  readonly digestAnnotation: string;
  /** The settings that the bytes depend on. */
  readonly settingsOf: (settings: CertificateKeystores) => unknown;
  readonly keyStore: (recipe: Recipe) => Promise<Buffer> | Buffer;
  readonly trustStore: (recipe: Recipe, ca: string) => Promise<Buffer> | Buffer;
}

const kinds: Readonly<Record<KeystoreKind, Kind>> = {
  jks: {
    keyStoreEntry: 'keystore.jks',
    trustStoreEntry: 'truststore.jks',
    digestAnnotation: jksDigestAnnotation,
    settingsOf: ({ jks }) => jks?.alias,
    keyStore: ({ pair, settings, password, nowMs }) =>
      jksKeyStore({ ...opened(pair), password, alias: settings.jks?.alias, createdMs: nowMs }),
    trustStore: ({ password, nowMs }, ca) => jksTrustStore({ ca, password, createdMs: nowMs }),
  },
  pkcs12: {
    keyStoreEntry: 'keystore.p12',
    trustStoreEntry: 'truststore.p12',
    digestAnnotation: pkcs12DigestAnnotation,
    settingsOf: ({ pkcs12 }) => pkcs12?.profile,
    keyStore: ({ pair, settings, password }) =>
      pkcs12KeyStore({ ...opened(pair), password, profile: settings.pkcs12?.profile }),
    trustStore: ({ settings, password }, ca) =>
      pkcs12TrustStore({ ca, password, profile: settings.pkcs12?.profile }),
  },
};

/** The entries of the Secret that are keystores; whatever stands in them is ours, as it is cert-manager's. */
export const keystoreEntries: readonly string[] = Object.values(kinds).flatMap(
  ({ keyStoreEntry, trustStoreEntry }) => [keyStoreEntry, trustStoreEntry],
);

/** The annotations that the keystores are known by. */
export const keystoreAnnotations: readonly string[] = Object.values(kinds).map(
  ({ digestAnnotation }) => digestAnnotation,
);

/** Entries of a Secret, and the annotations that go with them. */
export interface KeystoreContent {
  readonly data: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The keystores of `pair` that the spec asks for. Those in the Secret stay as they are while they are up to date, since
 * each making gives other bytes; and while there is no password to make them again with, since the certificate in them is
 * good for a while yet. Those with no digest, which are cert-manager's, count as up to date until the pair changes.
 */
export async function keystoresOf(
  { certificate, secret, pair: stored, passwords }: CertificateState,
  pair: KeyPair,
  nowMs: number,
): Promise<KeystoreContent> {
  const settings = certificate.spec.keystores ?? {};
  const wanted = keystoreKinds.filter(name => passwords[name] !== undefined);
  const { ca } = trustIn(wanted.length === 0 ? '' : (pair.ca ?? ''));
  const isSamePair =
    stored?.privateKey === pair.privateKey && stored.chain === pair.chain && stored.ca === pair.ca;
  let content: KeystoreContent = { data: {}, annotations: {} };
  for (const name of wanted) {
    const password = passwords[name];
    if (password === undefined) continue;
    const kind = kinds[name];
    const found = contentIn(secret, kind);
    const recipe = {
      pair: { ...pair, ca },
      settings,
      password: 'text' in password ? password.text : '',
      nowMs,
    };
    const isKept = 'problem' in password || isUpToDate(found, kind, recipe, isSamePair);
    const { data, annotations } = isKept ? found : await made(kind, recipe);
    content = {
      data: { ...content.data, ...data },
      annotations: { ...content.annotations, ...annotations },
    };
  }
  return content;
}

function isUpToDate(found: KeystoreContent, kind: Kind, recipe: Recipe, isSamePair: boolean): boolean {
  const digest = found.annotations[kind.digestAnnotation];
  if (digest !== undefined) return digest === digestOf(found.data, kind, recipe);
  const hasKeyStore = (found.data[kind.keyStoreEntry] ?? '') !== '';
  const hasTrustStore = (found.data[kind.trustStoreEntry] ?? '') !== '';
  return isSamePair && hasKeyStore && hasTrustStore === (recipe.pair.ca !== undefined);
}

async function made(kind: Kind, recipe: Recipe): Promise<KeystoreContent> {
  const { ca } = recipe.pair;
  const keyStore = await kind.keyStore(recipe);
  const trustStore = ca === undefined ? undefined : await kind.trustStore(recipe, ca);
  const data = {
    [kind.keyStoreEntry]: keyStore.toString('base64'),
    ...(trustStore !== undefined && { [kind.trustStoreEntry]: trustStore.toString('base64') }),
  };
  return { data, annotations: { [kind.digestAnnotation]: digestOf(data, kind, recipe) } };
}

/**
 * Over all that keystores are made of, and what came of it. Annotations are shown more freely than data, so it is made
 * with the private key: who does not have that cannot try passwords on it.
 */
function digestOf(data: Readonly<Record<string, string>>, kind: Kind, recipe: Recipe): string {
  const { pair, settings, password } = recipe;
  const content = [data, kind.settingsOf(settings), password, pair.chain, pair.ca];
  return createHmac('sha256', pair.privateKey).update(canonicalJson(content)).digest('base64url');
}

function contentIn(secret: Secret | undefined, kind: Kind): KeystoreContent {
  return {
    data: picked(secret?.data, [kind.keyStoreEntry, kind.trustStoreEntry]),
    annotations: picked(secret?.metadata.annotations, [kind.digestAnnotation]),
  };
}

function picked(values: Readonly<Record<string, string>> | undefined, names: readonly string[]) {
  return Object.fromEntries(Object.entries(values ?? {}).filter(([name]) => names.includes(name)));
}

/**
 * Issuers of other makers may give anything as their certificate: what is none is trusted by nobody. Remembered, since
 * reading takes longer than all the rest, and a few authorities sign for all.
 */
const trustIn = remembering(64, (pem): { readonly ca: string | undefined } => {
  try {
    return { ca: parseCertificates(pem).length > 0 ? pem : undefined };
  } catch {
    return { ca: undefined };
  }
});

function opened({ privateKey, chain, ca }: KeyPair) {
  return { key: parsePrivateKey(privateKey), chain, ca };
}
