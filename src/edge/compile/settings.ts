/** What the compilation is told beside the objects. */
export interface CompileSettings {
  /** Classes that are served without an IngressClass object, or whatever it says. */
  readonly ingressClasses: readonly string[];
  /** `spec.controller` of our IngressClasses. */
  readonly controllerName: string;
  /** The class that is ours as long as no IngressClass of that name says otherwise. */
  readonly defaultClassName: string;
  readonly watchIngressWithoutClass: boolean;
  /** No API server: loopback upstreams are allowed, and no admission fills in the default class. */
  readonly standalone: boolean;
  /** Whether Services of type ExternalName are served at all. */
  readonly externalNames: boolean;
  /** Mappings and TLSContexts that are for another one are passed over (Emissary's AMBASSADOR_ID). */
  readonly ambassadorId: string;
  /** A TLSContext's certificate must be valid at this time too (Emissary's AMBASSADOR_FORCE_SECRET_VALIDATION). */
  readonly forceSecretValidation: boolean;
}

/** The settings of a program that was told nothing. */
export const defaultCompileSettings: CompileSettings = Object.freeze({
  ingressClasses: [],
  controllerName: 'postern.dev/ingress',
  defaultClassName: 'postern',
  watchIngressWithoutClass: false,
  standalone: false,
  externalNames: true,
  ambassadorId: 'default',
  forceSecretValidation: false,
});
