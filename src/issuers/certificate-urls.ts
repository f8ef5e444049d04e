import { quoted } from './sentence.ts';

/** The addresses that an issuer puts into what it signs, by the fields of its spec. */
export interface CertificateUrls {
  readonly crlDistributionPoints?: readonly string[] | undefined;
  readonly ocspServers?: readonly string[] | undefined;
  readonly issuingCertificateURLs?: readonly string[] | undefined;
}

/** What is wrong with them, in a sentence: certificates hold absolute URIs in ASCII (RFC 5280 section 7.4). `at`: the path of the fields. */
export function urlProblem(at: string, urls: CertificateUrls | undefined): string | undefined {
  for (const field of ['crlDistributionPoints', 'ocspServers', 'issuingCertificateURLs'] as const) {
    const bad = urls?.[field]?.find(url => !/^[\x21-\x7e]+$/.test(url) || !URL.canParse(url));
    if (bad !== undefined)
      return `${at}.${field} has ${quoted(bad)}, which is no absolute URL in ASCII; write it as "http://ca.example.com/path".`;
  }
  return undefined;
}
