import type { Secret } from '../../api/kubernetes/secret.ts';
import type { Service } from '../../api/kubernetes/service.ts';
import { keyText, type ObjectKey } from '../../api/meta.ts';
import type { Changes, References, Snapshot } from './snapshot.ts';

/** What parts of a compilation may look up beside their Ingress. */
export type Lookups = Pick<Snapshot, 'secret' | 'service'>;

/** Most are asked for by one user: a set for each takes more memory than all the rest of it. */
type Users<User> = User | Set<User> | undefined;

interface Dependency<T, User> {
  readonly kind: 'secrets' | 'services';
  readonly key: ObjectKey;
  readonly text: string;
  value: T | undefined;
  users: Users<User>;
}

/** Notes which part asked for which Secret and Service, there or not, so that each is made again when those change. */
export class Dependencies<User extends object> {
  readonly #secrets = new Map<string, Dependency<Secret, User>>();
  readonly #services = new Map<string, Dependency<Service, User>>();
  readonly #ofUser = new Map<User, Dependency<unknown, User>[]>();
  /** Those that nobody asks for any more, to be forgotten with the next look at the references. */
  readonly #unused = new Set<Dependency<unknown, User>>();
  /** Those that asked for something that another user was then given another object for. */
  readonly #outdated = new Set<User>();
  #references: References | undefined;

  /** Lookups for making a part anew; what it asked for before is forgotten. */
  lookupsFor(user: User, snapshot: Snapshot): Lookups {
    this.forget(user);
    const note = <T>(
      known: Map<string, Dependency<T, User>>,
      kind: Dependency<T, User>['kind'],
      key: ObjectKey,
      value: T | undefined,
    ): T | undefined => {
      const text = keyText(key);
      let dependency = known.get(text);
      if (dependency === undefined) {
        dependency = { kind, key, text, value, users: undefined };
        known.set(text, dependency);
        this.#references = undefined;
      }
      if (dependency.value !== value) for (const other of listed(dependency.users)) this.#outdated.add(other);
      dependency.value = value;
      this.#use(dependency, user);
      return value;
    };
    return {
      secret: key => note(this.#secrets, 'secrets', key, snapshot.secret(key)),
      service: key => note(this.#services, 'services', key, snapshot.service(key)),
    };
  }

  forget(user: User): void {
    for (const dependency of this.#ofUser.get(user) ?? []) {
      if (dependency.users instanceof Set && dependency.users.size > 1) dependency.users.delete(user);
      else dependency.users = undefined;
      if (dependency.users === undefined) this.#unused.add(dependency);
    }
    this.#ofUser.delete(user);
    this.#outdated.delete(user);
  }

  #use(dependency: Dependency<unknown, User>, user: User): void {
    const { users } = dependency;
    if (users === user || (users instanceof Set && users.has(user))) return;
    if (users instanceof Set) users.add(user);
    else dependency.users = users === undefined ? user : new Set([users, user]);
    const asked = this.#ofUser.get(user);
    if (asked === undefined) this.#ofUser.set(user, [dependency]);
    else asked.push(dependency);
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
        for (const user of listed(dependency.users)) stale.add(user);
      }
    };
    look(this.#secrets, changes?.secrets, key => snapshot.secret(key));
    look(this.#services, changes?.services, key => snapshot.service(key));
    return stale;
  }

  /** What was asked for. The same object as long as that is the same. */
  references(): References {
    for (const { kind, text, users } of this.#unused) {
      if (users !== undefined) continue;
      (kind === 'secrets' ? this.#secrets : this.#services).delete(text);
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

function listed<User extends object>(users: Users<User>): Iterable<User> {
  if (users === undefined) return [];
  return users instanceof Set ? users : [users];
}
