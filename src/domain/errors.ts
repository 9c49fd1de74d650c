/** Why an input was refused, or what stood in the way. A closed list: clients and tests rely on it. */
export type CatalogErrorCode =
  | 'INVALID_REFERENCE'
  | 'INVALID_DIGEST'
  | 'INVALID_PLATFORM'
  | 'INVALID_PATTERN'
  | 'INVALID_SCHEDULE'
  | 'INVALID_CURSOR'
  | 'INVALID_ARGUMENT'
  | 'INVALID_CONFIGURATION'
  | 'NOT_FOUND'
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'CATALOG_UNAVAILABLE';

/** The one class that our own rooms throw for a fault that a caller can understand. */
export class CatalogError extends Error {
  override readonly name = 'CatalogError';
  readonly code: CatalogErrorCode;

  constructor(code: CatalogErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * What a registry did wrong, or refused.
 *
 * UNAUTHORIZED and FORBIDDEN blur with NOT_FOUND at most hosted registries, so only NOT_FOUND is proof of absence.
 * MALFORMED, DIGEST_MISMATCH and TOO_LARGE are faults of the content: trying again soon does not help.
 */
export type RegistryErrorCode =
  | 'UNAUTHORIZED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE'
  | 'TIMEOUT'
  | 'REFUSED_ADDRESS'
  | 'TLS_FAILED'
  | 'NOT_A_REGISTRY'
  | 'MALFORMED'
  | 'DIGEST_MISMATCH'
  | 'TOO_LARGE'
  | 'UNSUPPORTED';

export interface RegistryErrorDetails extends ErrorOptions {
  /** The HTTP status, when there was an answer. */
  readonly status?: number;
  /** The registry's own error code, such as MANIFEST_UNKNOWN. */
  readonly registryCode?: string;
  /** When to come back, where that is known: with RATE_LIMITED always. */
  readonly retryAt?: Date;
}

export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly status: number | null;
  readonly registryCode: string | null;
  readonly retryAt: Date | null;

  constructor(code: RegistryErrorCode, message: string, details: RegistryErrorDetails = {}) {
    super(message, details);
    this.code = code;
    this.status = details.status ?? null;
    this.registryCode = details.registryCode ?? null;
    this.retryAt = details.retryAt ?? null;
  }

  /** True when the same request may succeed later. */
  get isTransient(): boolean {
    return this.code === 'RATE_LIMITED' || this.code === 'UNAVAILABLE' || this.code === 'TIMEOUT';
  }
}

/** The database can't be reached: what was to be done is to be done later, and nobody else is at fault. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof CatalogError && error.code === 'CATALOG_UNAVAILABLE';
}

/** The message of anything that was thrown, for logs and stored errors. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
