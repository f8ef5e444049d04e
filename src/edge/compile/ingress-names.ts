import { wildcardFor } from '../match/host.ts';
import type { HostState, NameState } from './ingress-entry.ts';
import type { SourceRef } from './table.ts';

/** Which Ingresses the hosts belong to: what others say of such a host counts as far as they are of the same namespace. */
export class IngressNames {
  readonly #hosts: ReadonlyMap<string, HostState>;
  readonly #names: ReadonlyMap<string, NameState>;
  readonly #hostOf: (furtherName: string) => string | undefined;
  /** Another number where a host may have come, gone, or changed hands. */
  revision = 0;

  /** `hostOf` gives the host whose other name it is (`further-names.ts`). */
  constructor(
    hosts: ReadonlyMap<string, HostState>,
    names: ReadonlyMap<string, NameState>,
    hostOf: (furtherName: string) => string | undefined,
  ) {
    this.#hosts = hosts;
    this.#names = names;
    this.#hostOf = hostOf;
  }

  /**
   * The Ingress that a name or one-label wildcard belongs to, `''` for no name: the oldest that has rules for it, else for
   * its wildcard, as it is their rules that its requests come to; else the one whose TLS entry names it.
   */
  ownerOf(name: string): Omit<SourceRef, 'kind'> | undefined {
    const ruled =
      this.#ruledBy(name) ??
      this.#ruledBy(this.#hostOf(name) ?? name) ??
      this.#ruledBy(wildcardFor(name) ?? name);
    if (ruled !== undefined) return ruled;
    const claim = this.#names.get(name)?.result?.owner;
    if (claim === undefined || claim.by === 'certificate') return undefined;
    const { namespace = '', name: ingress = '' } = claim.ingress.metadata;
    return { namespace, name: ingress };
  }

  /** The hosts that Ingresses have rules for. */
  hosts(): Iterable<string> {
    return this.#hosts.keys();
  }

  #ruledBy(host: string): SourceRef | undefined {
    return this.#hosts.get(host)?.result?.owner?.source;
  }
}
