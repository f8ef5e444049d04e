import { http01DomainLabel, http01SolverLabel, http01TokenLabel } from '../../api/labels.ts';

/** Adler-32 (RFC 1950 section 8.2) of the text's UTF-8, as a decimal number. */
export function adler32(text: string): string {
  let a = 1;
  let b = 0;
  for (const byte of Buffer.from(text)) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return String(b * 65_536 + a);
}

/** The labels of what carries a challenge, as cert-manager computes them. */
export function challengeLabels(host: string, token: string): Record<string, string> {
  return {
    [http01DomainLabel]: adler32(host),
    [http01TokenLabel]: adler32(token),
    [http01SolverLabel]: 'true',
  };
}
