/**
 * Condition types, condition reasons and event reasons. Alerts and tools read them, so they are
 * spelled as cert-manager spells them.
 */

/** Types of conditions. */
export const conditionTypes = {
  ready: 'Ready',
  issuing: 'Issuing',
  approved: 'Approved',
  denied: 'Denied',
  invalidRequest: 'InvalidRequest',
} as const;

/** Why a Certificate is (to be) issued, in the order in which they are looked for. */
export const issuanceReasons = {
  doesNotExist: 'DoesNotExist',
  missingData: 'MissingData',
  invalidKeyPair: 'InvalidKeyPair',
  invalidCertificate: 'InvalidCertificate',
  incorrectIssuer: 'IncorrectIssuer',
  incorrectCertificate: 'IncorrectCertificate',
  secretMismatch: 'SecretMismatch',
  invalidCertificateRequest: 'InvalidCertificateRequest',
  requestChanged: 'RequestChanged',
  renewing: 'Renewing',
  manuallyTriggered: 'ManuallyTriggered',
} as const;

/** Why a Secret is written again without issuing. */
export const secretReasons = {
  secretTemplateMismatch: 'SecretTemplateMismatch',
  additionalOutputFormatsMismatch: 'AdditionalOutputFormatsMismatch',
  secretOwnerRefMismatch: 'SecretOwnerRefMismatch',
  secretManagedMetadataMismatch: 'SecretManagedMetadataMismatch',
  secretKeystoreMismatch: 'SecretKeystoreMismatch',
} as const;

/** Further reasons of a Certificate's Ready condition; issuanceReasons are the rest. */
export const certificateReadyReasons = {
  ready: 'Ready',
  expired: 'Expired',
  /** The spec breaks a rule; nothing is issued until it is mended. */
  invalidSpec: 'InvalidSpec',
  /** Another Certificate owns the Secret. */
  duplicateSecretName: 'DuplicateSecretName',
} as const;

/** Reasons of a CertificateRequest's Ready condition. */
export const requestReasons = {
  pending: 'Pending',
  failed: 'Failed',
  issued: 'Issued',
  denied: 'Denied',
} as const;

/** Reason of the Approved condition that the in-tree approver sets. */
export const approvedReason = 'cert-manager.io';

/** Reasons of an Issuer's or ClusterIssuer's Ready condition. */
export const issuerReasons = {
  acmeAccountRegistered: 'ACMEAccountRegistered',
  errRegisterAccount: 'ErrRegisterACMEAccount',
  errVerifyAccount: 'ErrVerifyACMEAccount',
  errUpdateAccount: 'ErrUpdateACMEAccount',
  invalidConfig: 'InvalidConfig',
  invalidUrl: 'InvalidURL',
  invalidSolver: 'InvalidSolver',
  keyPairVerified: 'KeyPairVerified',
  errGetKeyPair: 'ErrGetKeyPair',
  errInvalidKeyPair: 'ErrInvalidKeyPair',
  isReady: 'IsReady',
  /** The spec is of a type that Postern accepts in a manifest and does not sign with: vault, venafi. */
  unsupportedType: 'UnsupportedType',
} as const;

/** Reasons of events on Ingresses. */
export const ingressEvents = {
  badConfig: 'BadConfig',
  createCertificate: 'CreateCertificate',
  updateCertificate: 'UpdateCertificate',
  deleteCertificate: 'DeleteCertificate',
} as const;

/** Reasons of events on Certificates. */
export const certificateEvents = {
  issuing: 'Issuing',
  failed: 'Failed',
  cannotRegenerateKey: 'CannotRegenerateKey',
  fallback: 'FallbackIssuer',
  revoked: 'Revoked',
  notRevoked: 'NotRevoked',
  revokeError: 'RevokeError',
} as const;

/** Reasons of events on CertificateRequests; also IssuerNotFound and IssuerNotReady before an issuer signs. */
export const requestEvents = {
  waitingForApproval: 'WaitingForApproval',
  issuerNotFound: 'IssuerNotFound',
  issuerNotReady: 'IssuerNotReady',
} as const;

/** Reason of the event that says what the API server refuses to have written: by a policy, webhook, quota or rule of RBAC. */
export const writeRefused = 'WriteRefused';

/** How what it says begins, in conditions too. */
export const isRefused = 'Refused: ';

/** How the reason of a Challenge begins whose answer is not found from here. What to do about it is in it too. */
export const selfCheckFails = 'The self-check fails: ';

/** Reasons of events on Orders and Challenges. */
export const acmeEvents = {
  failed: 'Failed',
  solver: 'Solver',
  presentError: 'PresentError',
  cleanUpError: 'CleanUpError',
} as const;
