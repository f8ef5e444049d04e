import type { KubeObject } from '../api/meta.ts';
import type { Resource } from '../api/resource.ts';
import type { KubeApi } from '../kube/port.ts';
import type { TestCertificate } from '../pki/pki.testing.ts';
import { encodePrivateKey } from '../pki/private-key.ts';

/** Creates an object with its status, owned by `owner`. */
export async function put<T extends KubeObject>(
  api: KubeApi,
  resource: Resource<T>,
  object: T & { status?: unknown },
  owner?: KubeObject,
): Promise<T> {
  const { uid: _uid, ownerReferences: _owners, ...metadata } = object.metadata;
  const { kind = '', apiVersion = '' } = owner ?? {};
  const reference = {
    kind,
    apiVersion,
    name: owner?.metadata.name ?? '',
    uid: owner?.metadata.uid ?? '',
    controller: true,
  };
  const created = await api.create(resource, {
    ...object,
    metadata: { ...metadata, ...(owner === undefined ? {} : { ownerReferences: [reference] }) },
  });
  if (object.status === undefined || !resource.hasStatus) return created;
  return api.updateStatus(resource, { ...created, status: object.status });
}

/** The object under another name, in another namespace, or with these labels. */
export function renamed<T extends KubeObject>(
  object: T,
  name: string,
  more: { readonly namespace?: string; readonly labels?: Record<string, string> } = {},
): T {
  return { ...object, metadata: { ...object.metadata, name, ...more } };
}

/** A Secret of the TLS type with a chain, the leaf first, and the leaf's key. */
export function aTlsSecret(
  namespace: string,
  name: string,
  leaf: TestCertificate,
  more: {
    readonly chain?: string;
    readonly key?: string;
    readonly ca?: string;
    readonly annotations?: Record<string, string>;
    readonly type?: string;
  } = {},
) {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const { chain = leaf.certificate, key = encodePrivateKey(leaf.key), ca, annotations, type } = more;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace, name, ...(annotations === undefined ? {} : { annotations }) },
    type: type ?? 'kubernetes.io/tls',
    data: {
      'tls.crt': base64(chain),
      'tls.key': base64(key),
      ...(ca === undefined ? {} : { 'ca.crt': base64(ca) }),
    },
  };
}
