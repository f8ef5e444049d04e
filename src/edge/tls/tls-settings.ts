import { aeadCiphers } from '../../core/aead-ciphers.ts';

/** How TLS is spoken with clients, unless a host has settings of its own. */
export interface ServerTlsSettings {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
  /** OpenSSL's names, in the order in which they are preferred. */
  readonly ciphers: readonly string[];
  /** Clients may resume their sessions. */
  readonly sessionTickets: boolean;
}

export const defaultTlsSettings: ServerTlsSettings = Object.freeze({
  minVersion: 'TLSv1.2',
  ciphers: aeadCiphers,
  sessionTickets: true,
});
