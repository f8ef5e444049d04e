/** Annotations that Postern reads and writes, by the keys that cert-manager and Kubernetes gave them. */

/** On an Ingress: which issuer signs for it. */
export const issuerAnnotation = 'cert-manager.io/issuer';
export const clusterIssuerAnnotation = 'cert-manager.io/cluster-issuer';
export const issuerKindAnnotation = 'cert-manager.io/issuer-kind';
export const issuerGroupAnnotation = 'cert-manager.io/issuer-group';
/** On an Ingress: take the default issuer; a boolean. */
export const tlsAcmeAnnotation = 'kubernetes.io/tls-acme';

/** On an Ingress: how its HTTP01 challenges are solved. */
export const http01EditInPlaceAnnotation = 'acme.cert-manager.io/http01-edit-in-place';
export const http01IngressClassAnnotation = 'acme.cert-manager.io/http01-ingress-class';
export const http01IngressClassNameAnnotation = 'acme.cert-manager.io/http01-ingress-ingressclassname';

/** On a Certificate (and what is made from it): the above, passed on. */
export const http01OverrideIngressNameAnnotation = 'acme.cert-manager.io/http01-override-ingress-name';
export const http01OverrideIngressClassAnnotation = 'acme.cert-manager.io/http01-override-ingress-class';
export const http01OverrideIngressClassNameAnnotation =
  'acme.cert-manager.io/http01-override-ingress-ingressclassname';
/** On a Certificate: a self-signed certificate stands in the Secret until the signed one is there. */
export const issueTemporaryCertificateAnnotation = 'cert-manager.io/issue-temporary-certificate';

/** On an Ingress: fields of its Certificates. The first six are on the Secret too, as facts. */
export const commonNameAnnotation = 'cert-manager.io/common-name';
export const altNamesAnnotation = 'cert-manager.io/alt-names';
export const ipSansAnnotation = 'cert-manager.io/ip-sans';
export const uriSansAnnotation = 'cert-manager.io/uri-sans';
export const emailSansAnnotation = 'cert-manager.io/email-sans';
export const subjectOrganizationsAnnotation = 'cert-manager.io/subject-organizations';
export const subjectOrganizationalUnitsAnnotation = 'cert-manager.io/subject-organizationalunits';
export const subjectCountriesAnnotation = 'cert-manager.io/subject-countries';
export const subjectProvincesAnnotation = 'cert-manager.io/subject-provinces';
export const subjectLocalitiesAnnotation = 'cert-manager.io/subject-localities';
export const subjectPostalCodesAnnotation = 'cert-manager.io/subject-postalcodes';
export const subjectStreetAddressesAnnotation = 'cert-manager.io/subject-streetaddresses';
export const subjectSerialNumberAnnotation = 'cert-manager.io/subject-serialnumber';
export const durationAnnotation = 'cert-manager.io/duration';
export const renewBeforeAnnotation = 'cert-manager.io/renew-before';
export const renewBeforePercentageAnnotation = 'cert-manager.io/renew-before-percentage';
export const usagesAnnotation = 'cert-manager.io/usages';
export const revisionHistoryLimitAnnotation = 'cert-manager.io/revision-history-limit';
export const privateKeyAlgorithmAnnotation = 'cert-manager.io/private-key-algorithm';
export const privateKeyEncodingAnnotation = 'cert-manager.io/private-key-encoding';
export const privateKeySizeAnnotation = 'cert-manager.io/private-key-size';
export const privateKeyRotationPolicyAnnotation = 'cert-manager.io/private-key-rotation-policy';
export const secretTemplateAnnotation = 'cert-manager.io/secret-template';

/** On a CertificateRequest and on a Secret: the Certificate they belong to. */
export const certificateNameAnnotation = 'cert-manager.io/certificate-name';
/** On a CertificateRequest: the number of the issuance, counted from 1. */
export const certificateRevisionAnnotation = 'cert-manager.io/certificate-revision';
/** On a CertificateRequest: the Secret that holds the private key of its CSR. */
export const privateKeySecretNameAnnotation = 'cert-manager.io/private-key-secret-name';
/** On a Secret: who signed what is in it. Kind and group share their keys with the Ingress annotations. */
export const issuerNameAnnotation = 'cert-manager.io/issuer-name';

/**
 * On a CertificateRequest and its Order: the CertID (RFC 9773) of the certificate that the new one takes the place of.
 * The ACME server is told, where it has renewal information.
 */
export const replacesAnnotation = 'postern.dev/replaces';

/** On a Secret: the keys that it has from secretTemplate, as JSON, so that those that leave the template leave the Secret. */
export const secretTemplateKeysAnnotation = 'postern.dev/secret-template-keys';
/** On a Secret: what its keystores were made from, as a digest that is made with the private key and tells nothing. */
export const jksDigestAnnotation = 'postern.dev/jks-digest';
export const pkcs12DigestAnnotation = 'postern.dev/pkcs12-digest';

/** Every annotation with this prefix is cert-manager's; a secretTemplate may not set one. */
export const certManagerAnnotationPrefix = 'cert-manager.io/';
/** Annotations of a Certificate with one of these prefixes are not copied to its CertificateRequests. */
export const uncopiedAnnotationPrefixes: readonly string[] = [
  'kubectl.kubernetes.io/',
  'fluxcd.io/',
  'argocd.argoproj.io/',
];

/** On an Ingress: its class, in the old spelling, which wins over `spec.ingressClassName`. */
export const ingressClassAnnotation = 'kubernetes.io/ingress.class';
/** On an IngressClass: "true" makes it the class of Ingresses that name none. */
export const defaultIngressClassAnnotation = 'ingressclass.kubernetes.io/is-default-class';

/** On an Ingress: how the edge speaks to the upstream: HTTP or HTTPS. */
export const backendProtocolAnnotation = 'nginx.ingress.kubernetes.io/backend-protocol';
export const sslRedirectAnnotation = 'nginx.ingress.kubernetes.io/ssl-redirect';
export const forceSslRedirectAnnotation = 'nginx.ingress.kubernetes.io/force-ssl-redirect';
export const whitelistSourceRangeAnnotation = 'nginx.ingress.kubernetes.io/whitelist-source-range';

/** A key of a path's `property` in CCE's Ingresses: how the path is compared. */
export const urlMatchModeProperty = 'ingress.beta.kubernetes.io/url-match-mode';

/** On a Certificate and on what is made from it: the class of the Ingress it comes from, used where nothing else names one. */
export const sourceIngressClassAnnotation = 'postern.dev/ingress-class';

/** On a Certificate, or on an Ingress for its Certificates: issuers to try after the one of issuerRef, in order. */
export const fallbackIssuersAnnotation = 'postern.dev/fallback-issuers';
/** On a Certificate, or on an Ingress for its Certificates: "true" deletes the Secret together with the Certificate. */
export const deleteSecretAnnotation = 'postern.dev/delete-secret';
/** On a Certificate, or on an Ingress for its Certificates: "true" has the certificate revoked when the Certificate is deleted. */
export const revokeOnDeleteAnnotation = 'postern.dev/revoke-on-delete';
