import type { Secret } from '../api/kubernetes/secret.ts';
import { keyOf, keyText, type ObjectKey } from '../api/meta.ts';
import type { Logger } from '../core/logger.ts';
import type { Cache } from '../kube/cache.ts';
import { serverCertificateOf } from './compile/server-certificate.ts';
import type { RoutingTable, SniEntry } from './compile/table.ts';

export interface DefaultCertificateOptions {
  /** The Secret, or undefined where no default certificate is given. */
  readonly secret: ObjectKey | undefined;
  readonly secrets: Pick<Cache<Secret>, 'get' | 'onChange'>;
  readonly logger: Logger;
  readonly onChange: () => void;
}

/** Puts the certificate for names that have none of their own into each table, and follows its Secret. */
export class DefaultCertificateKeeper {
  readonly #options: DefaultCertificateOptions;
  readonly #cancel: () => void;
  #entry: SniEntry | undefined;
  #problem: string | undefined;
  /** What was last made of which map: most tables have the map of the one before. */
  #last: { base: RoutingTable['sni']; entry: SniEntry; sni: RoutingTable['sni'] } | undefined;

  constructor(options: DefaultCertificateOptions) {
    this.#options = options;
    const name = options.secret && keyText(options.secret);
    this.#cancel =
      name === undefined
        ? () => {}
        : options.secrets.onChange(({ before, after }) => {
            const object = after ?? before;
            if (before !== after && object !== undefined && keyText(keyOf(object)) === name) this.#look();
          });
  }

  stop(): void {
    this.#cancel();
  }

  /** The table, with the default certificate: it goes before that of a TLSContext for `*`. */
  complete(table: RoutingTable): RoutingTable {
    if (this.#entry === undefined && this.#options.secret !== undefined) this.#read();
    const own = table.sni.get('');
    if (this.#entry === undefined) return table;
    if (this.#last?.base !== table.sni || this.#last.entry !== this.#entry) {
      const entry = own?.settings === undefined ? this.#entry : { ...this.#entry, settings: own.settings };
      this.#last = { base: table.sni, entry: this.#entry, sni: new Map([...table.sni, ['', entry]]) };
    }
    return Object.freeze({ ...table, sni: this.#last.sni });
  }

  #look(): void {
    const before = this.#entry;
    this.#read();
    if (this.#entry !== before) this.#options.onChange();
  }

  #read(): void {
    const { secret: key, secrets, logger } = this.#options;
    if (key === undefined) return;
    const secret = secrets.get(key);
    const result = secret === undefined ? { error: 'it does not exist' } : serverCertificateOf(secret);
    if ('certificate' in result) {
      this.#problem = undefined;
      this.#entry = Object.freeze({ kind: 'certificate', certificate: result.certificate });
      return;
    }
    this.#entry = undefined;
    if (result.error === this.#problem) return;
    this.#problem = result.error;
    logger.warn(
      'the Secret of --default-ssl-certificate cannot be used: a certificate that no client trusts stands in',
      {
        secret: keyText(key),
        problem: result.error,
      },
    );
  }
}
