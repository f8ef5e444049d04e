import { type ClassSettings, defaultClassSettings } from '../../api/kubernetes/ingress-selection.ts';

/** What the compilation is told beside the objects. Standalone, loopback upstreams are allowed. */
export interface CompileSettings extends ClassSettings {
  /** Whether Services of type ExternalName are served at all. */
  readonly externalNames: boolean;
  /** Mappings and TLSContexts that are for another one are passed over (Emissary's AMBASSADOR_ID). */
  readonly ambassadorId: string;
  /** A TLSContext's certificate must be valid at this time too (Emissary's AMBASSADOR_FORCE_SECRET_VALIDATION). */
  readonly forceSecretValidation: boolean;
}

/** The settings of a program that was told nothing. */
export const defaultCompileSettings: CompileSettings = Object.freeze({
  ...defaultClassSettings,
  externalNames: true,
  ambassadorId: 'default',
  forceSecretValidation: false,
});
