import { RegistryError, type RegistryErrorCode } from '../../domain/errors.ts';
import type { HttpAnswer } from '../../http/index.ts';
import { shown } from '../answer.ts';

/**
 * Says in our words what the AWS SDK threw. The code of the error decides: Amazon answers nearly all of them with 400.
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
 */
export function translateAwsFault(error: unknown, what: string): RegistryError {
  if (error instanceof RegistryError) return error;
  const { name, message, $metadata } = error as Error & { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode;
  if (name === 'CredentialsProviderError') {
    const where = 'in its environment, its profile, as a web identity, nor from its container or machine';
    return new RegistryError('UNAUTHORIZED', `${what}: the worker finds no identity at AWS: none ${where}`, {
      cause: error,
    });
  }
  if (status === undefined || status < 300) {
    const text = `${what} was not answered as the API of AWS does: ${shown(message)}`;
    return new RegistryError('MALFORMED', text, { cause: error });
  }
  const code = codeOf(name, status);
  return new RegistryError(code, `${what} was answered with ${status} (${name}: ${shown(message)})`, {
    status,
    registryCode: name,
    ...(code === 'RATE_LIMITED' && { retryAt: new Date(Date.now() + PAUSE) }),
  });
}

/** Whether an answer means that there were too many requests; its status is that of a bad one. */
export function isThrottled({ status, body }: HttpAnswer): boolean {
  if (status !== 400) return false;
  const [, name = ''] = /"__type"\s*:\s*"(?:[^"#]*#)?(\w+)"/.exec(body.toString('latin1')) ?? [];
  return CODES[name] === 'RATE_LIMITED';
}

/** AWS does not say when to come back; its quotas are of calls in a second. */
const PAUSE = 30_000;

const CODES: Record<string, RegistryErrorCode> = {
  ThrottlingException: 'RATE_LIMITED',
  Throttling: 'RATE_LIMITED',
  TooManyRequestsException: 'RATE_LIMITED',
  RequestLimitExceeded: 'RATE_LIMITED',
  LimitExceededException: 'RATE_LIMITED',
  AccessDeniedException: 'FORBIDDEN',
  AccessDenied: 'FORBIDDEN',
  OptInRequired: 'FORBIDDEN',
  RepositoryNotFoundException: 'NOT_FOUND',
  RepositoryCatalogDataNotFoundException: 'NOT_FOUND',
  RegistryNotFoundException: 'NOT_FOUND',
  UnrecognizedClientException: 'UNAUTHORIZED',
  InvalidClientTokenId: 'UNAUTHORIZED',
  InvalidSignatureException: 'UNAUTHORIZED',
  SignatureDoesNotMatch: 'UNAUTHORIZED',
  IncompleteSignature: 'UNAUTHORIZED',
  MissingAuthenticationTokenException: 'UNAUTHORIZED',
  ExpiredTokenException: 'UNAUTHORIZED',
};

function codeOf(name: string, status: number): RegistryErrorCode {
  const known = CODES[name];
  if (known !== undefined) return known;
  if (status === 429) return 'RATE_LIMITED';
  if (status === 401) return 'UNAUTHORIZED';
  if (status === 403) return 'FORBIDDEN';
  if (status >= 500) return 'UNAVAILABLE';
  return 'UNSUPPORTED';
}
