import { certificateNameAnnotation, certificateRevisionAnnotation } from '../../api/annotations.ts';
import type { Certificate } from '../../api/cert-manager/certificate.ts';
import type { CertificateRequest } from '../../api/cert-manager/certificate-request.ts';
import { issuersOf } from '../../api/cert-manager/fallback-issuers.ts';
import type { Issuer } from '../../api/cert-manager/issuer.ts';
import { type FullIssuerRef, sameIssuer } from '../../api/cert-manager/issuer-ref.ts';
import { controllerOf, type KubeObject, keyOf, keyText, type ObjectKey } from '../../api/meta.ts';
import { ingressEvents, writeRefused } from '../../api/reasons.ts';
import type { Chain } from './chain.ts';
import type { StatusObjects } from './read-objects.ts';

const namespaceOf = (object: KubeObject): string => object.metadata.namespace ?? '';
const idIn = (namespace: string, name: string): string => keyText({ namespace, name });

function byOwner<T extends KubeObject>(objects: readonly T[]): Map<string | undefined, T[]> {
  return Map.groupBy(objects, object => controllerOf(object)?.uid);
}

function revisionOf(request: CertificateRequest): number {
  return Number(request.metadata.annotations?.[certificateRevisionAnnotation] ?? 0);
}

/** What is found by looking from an object, prepared once for all chains. */
function indexed(objects: StatusObjects) {
  const requests = Map.groupBy(objects.requests, request =>
    idIn(namespaceOf(request), request.metadata.annotations?.[certificateNameAnnotation] ?? ''),
  );
  const orders = byOwner(objects.orders);
  const challenges = byOwner(objects.challenges);
  const issuers = new Map(objects.issuers.map(issuer => [keyText(keyOf(issuer)), issuer]));
  const clusterIssuers = new Map(objects.clusterIssuers.map(issuer => [issuer.metadata.name, issuer]));
  const certificates = Map.groupBy(objects.certificates, certificate =>
    idIn(namespaceOf(certificate), certificate.spec.secretName),
  );

  const issuerFor = (namespace: string, ref: FullIssuerRef): Issuer | undefined => {
    if (ref.kind === 'ClusterIssuer') return clusterIssuers.get(ref.name);
    return ref.kind === 'Issuer' ? issuers.get(idIn(namespace, ref.name)) : undefined;
  };

  /** From a Certificate down. */
  const issuanceOf = (certificate: Certificate): Partial<Chain> & Pick<Chain, 'challenges'> => {
    const namespace = namespaceOf(certificate);
    const request = requests
      .get(keyText(keyOf(certificate)))
      ?.toSorted((a, b) => revisionOf(b) - revisionOf(a))[0];
    const asked = request?.spec.issuerRef;
    const [primary, ...fallbacks] = issuersOf(certificate);
    const ref = fallbacks.find(each => asked !== undefined && sameIssuer(each, asked)) ?? primary;
    const order = request === undefined ? undefined : orders.get(request.metadata.uid)?.[0];
    return {
      certificate,
      issuer: { ref, found: ref.group === 'cert-manager.io' ? issuerFor(namespace, ref) : undefined },
      request,
      order,
      challenges: order === undefined ? [] : (challenges.get(order.metadata.uid) ?? []),
    };
  };

  /** The Certificate of a Secret: the one of the Secret's name, as the shim makes it, else any that names it. */
  const certificateFor = (namespace: string, secretName: string): Certificate | undefined => {
    const naming = certificates.get(idIn(namespace, secretName));
    return naming?.find(({ metadata }) => metadata.name === secretName) ?? naming?.[0];
  };
  return { issuanceOf, certificateFor };
}

/** What Postern last said is in the way of an Ingress's certificates. */
function newestObstacles({
  warnings,
}: StatusObjects): Map<string, Pick<Chain, 'badConfig' | 'refusedWrite'>> {
  const timeOf = (event: (typeof warnings)[number]): string => event.lastTimestamp ?? event.eventTime ?? '';
  return new Map(
    warnings
      .filter(({ reason }) => reason === ingressEvents.badConfig || reason === writeRefused)
      .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
      .map(({ involvedObject, reason, message }) => [
        idIn(involvedObject.namespace ?? '', involvedObject.name ?? ''),
        reason === writeRefused ? { refusedWrite: message } : { badConfig: message },
      ]),
  );
}

/** One chain for each TLS entry of each Ingress, then one for each Certificate that no Ingress uses; in order of names. */
export function chainsOf(objects: StatusObjects): readonly Chain[] {
  const { issuanceOf, certificateFor } = indexed(objects);
  const obstacles = newestObstacles(objects);
  const used = new Set<Certificate>();
  const byName = <T extends KubeObject>(list: readonly T[]): T[] =>
    list.toSorted((a, b) => keyText(keyOf(a)).localeCompare(keyText(keyOf(b))));

  const ofIngresses = byName(objects.ingresses).flatMap((ingress): Chain[] => {
    const namespace = namespaceOf(ingress);
    const base = { namespace, ingress, ...obstacles.get(keyText(keyOf(ingress))) };
    const entries = ingress.spec?.tls ?? [];
    if (entries.length === 0) return [{ ...base, challenges: [] }];
    return entries.map((entry, index) => {
      const name = entry.secretName ?? '';
      const certificate = name === '' ? undefined : certificateFor(namespace, name);
      if (certificate !== undefined) used.add(certificate);
      return {
        ...base,
        tls: { ...entry, index },
        secret: objects.secrets.get(idIn(namespace, name)),
        ...(certificate === undefined ? { challenges: [] } : issuanceOf(certificate)),
      };
    });
  });
  const ofCertificates = byName(objects.certificates)
    .filter(certificate => !used.has(certificate))
    .map(certificate => ({
      namespace: namespaceOf(certificate),
      secret: objects.secrets.get(idIn(namespaceOf(certificate), certificate.spec.secretName)),
      ...issuanceOf(certificate),
    }));
  return [...ofIngresses, ...ofCertificates];
}

/** The chain of one Certificate, without what uses it; undefined where there is none of that name. */
export function chainOfCertificate(
  objects: StatusObjects,
  key: ObjectKey,
): (Chain & { readonly certificate: Certificate }) | undefined {
  const certificate = objects.certificates.find(one => keyText(keyOf(one)) === keyText(key));
  if (certificate === undefined) return undefined;
  return {
    namespace: key.namespace,
    secret: objects.secrets.get(idIn(key.namespace, certificate.spec.secretName)),
    ...indexed(objects).issuanceOf(certificate),
    certificate,
  };
}
