import { RegistryError, messageOf } from '../domain/errors.ts';

/** The connection broke before the answer was whole: the same request may be sent again at once. */
export class BrokenConnection extends RegistryError {
  constructor(message: string, cause: unknown) {
    super('UNAVAILABLE', message, { cause });
  }
}

/** Says in our words what undici, the socket or TLS threw. `what` is the request, such as "GET https://host/v2/". */
export function translateFault(error: Error, what: string): RegistryError {
  if (error instanceof RegistryError) return error;
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  const timeout = TIMEOUTS[code];
  if (timeout) return new RegistryError('TIMEOUT', `${what}: ${timeout}`, { cause: error });
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new RegistryError('MALFORMED', `${what} was answered with too many bytes of headers`, { cause: error });
  }
  const refusal = TLS_REASONS[code];
  if (refusal) return new RegistryError('TLS_FAILED', `${what}: ${refusal}`, { cause: error });
  const reason = REASONS[code];
  if (reason) return new RegistryError('UNAVAILABLE', `${what}: ${reason}`, { cause: error });
  if (BROKEN.test(code)) {
    return new BrokenConnection(`${what}: the connection broke before the answer was whole (${code})`, error);
  }
  return new RegistryError('UNAVAILABLE', `${what}: ${messageOf(error)}`, { cause: error });
}

const TIMEOUTS: Record<string, string> = {
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped coming',
  ETIMEDOUT: 'no connection in time',
};

const REASONS: Record<string, string> = {
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be resolved',
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'the host can not be reached',
  ENETUNREACH: 'the network can not be reached',
};

/** None of these passes by itself. */
const TLS_REASONS: Record<string, string> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; give the certificate to Node with NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is from an unknown authority; give that to Node with NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is from an unknown authority; give that to Node with NODE_EXTRA_CA_CERTS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; mark the registry insecure if it is meant to be plain HTTP',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS; mark the registry insecure if it is meant to be plain HTTP',
  EPROTO: 'no TLS connection could be agreed on',
};

const BROKEN =
  /^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|UND_ERR_INFO|HPE_.*|HTTPParserError)$/;
