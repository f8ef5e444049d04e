import type { Secret } from '../../api/kubernetes/secret.ts';
import type { Service } from '../../api/kubernetes/service.ts';
import { keyText, type ObjectKey } from '../../api/meta.ts';
import type { Changes, References, Snapshot } from './snapshot.ts';

/** What parts of a compilation may look up beside their Ingress. */
export type Lookups = Pick<Snapshot, 'secret' | 'service'>;

interface Dependency<T, User> {
  readonly key: ObjectKey;
  value: T | undefined;
  readonly users: Set<User>;
}

type Kind = 'secrets' | 'services';

/** Notes which part asked for which Secret and Service, there or not, so that each is made again when those change. */
export class Dependencies<User extends object> {
  readonly #secrets = new Map<string, Dependency<Secret, User>>();
  readonly #services = new Map<string, Dependency<Service, User>>();
  readonly #ofUser = new Map<User, { kind: Kind; text: string }[]>();
  /** Those that nobody asks for any more, to be forgotten with the next look at the references. */
  readonly #unused = new Set<{ kind: Kind; text: string }>();
  /** Those that asked for something that another user was then given another object for. */
  readonly #outdated = new Set<User>();
  #references: References | undefined;

  /** Lookups for making a part anew; what it asked for before is forgotten. */
  lookupsFor(user: User, snapshot: Snapshot): Lookups {
    this.forget(user);
    const asked: { kind: Kind; text: string }[] = [];
    this.#ofUser.set(user, asked);
    const note = <T>(
      known: Map<string, Dependency<T, User>>,
      kind: Kind,
      key: ObjectKey,
      value: T | undefined,
    ): T | undefined => {
      const text = keyText(key);
      let dependency = known.get(text);
      if (dependency === undefined) {
        dependency = { key, value, users: new Set() };
        known.set(text, dependency);
        this.#references = undefined;
      }
      if (dependency.value !== value) for (const other of dependency.users) this.#outdated.add(other);
      dependency.value = value;
      if (!dependency.users.has(user)) asked.push({ kind, text });
      dependency.users.add(user);
      return value;
    };
    return {
      secret: key => note(this.#secrets, 'secrets', key, snapshot.secret(key)),
      service: key => note(this.#services, 'services', key, snapshot.service(key)),
    };
  }

  forget(user: User): void {
    for (const { kind, text } of this.#ofUser.get(user) ?? []) {
      const known: Map<string, Dependency<unknown, User>> = kind === 'secrets'
        ? this.#secrets
        : this.#services;
      const dependency = known.get(text);
      dependency?.users.delete(user);
      if (dependency?.users.size === 0) this.#unused.add({ kind, text });
    }
    this.#ofUser.delete(user);
    this.#outdated.delete(user);
  }

  /** The parts that asked for something that is another object by now. Without `changes` everything is looked at. */
  stale(snapshot: Snapshot, changes: Changes | undefined): Set<User> {
    const stale = new Set(this.#outdated);
    this.#outdated.clear();
    const look = <T>(
      known: ReadonlyMap<string, Dependency<T, User>>,
      names: ReadonlySet<string> | undefined,
      lookUp: (key: ObjectKey) => T | undefined,
    ): void => {
      for (const text of names ?? known.keys()) {
        const dependency = known.get(text);
        if (dependency === undefined) continue;
        const value = lookUp(dependency.key);
        if (value === dependency.value) continue;
        dependency.value = value;
        for (const user of dependency.users) stale.add(user);
      }
    };
    look(this.#secrets, changes?.secrets, key => snapshot.secret(key));
    look(this.#services, changes?.services, key => snapshot.service(key));
    return stale;
  }

  /** What was asked for. The same object as long as that is the same. */
  references(): References {
    for (const { kind, text } of this.#unused) {
      const known: Map<string, Dependency<unknown, User>> = kind === 'secrets'
        ? this.#secrets
        : this.#services;
      if (known.get(text)?.users.size !== 0) continue;
      known.delete(text);
      this.#references = undefined;
    }
    this.#unused.clear();
    this.#references ??= {
      secrets: new Set(this.#secrets.keys()),
      services: new Set(this.#services.keys()),
    };
    return this.#references;
  }
}
