import { messageOf } from '../../domain/errors.ts';
import { cut, isObject, type Json } from '../../domain/json.ts';
import { RuntimeFault } from '../runtime.ts';
import { SshFault } from './ssh.ts';

/** What kept a request from being answered, with what to do about it. */
export function faultOf(error: unknown, endpoint: string): RuntimeFault {
  if (error instanceof RuntimeFault) return error;
  const code = codeOf(error);
  const fault = (kind: 'UNREACHABLE' | 'UNAUTHORIZED' | 'MALFORMED', message: string) =>
    new RuntimeFault(kind, `${endpoint} ${message}`, { cause: error });
  if (error instanceof SshFault) return fault('UNREACHABLE', `can't be reached by ssh: ${error.message}`);
  if (code === 'EACCES' || code === 'EPERM') {
    return fault(
      'UNAUTHORIZED',
      'may not be opened by the user that Stowage runs as: add it to the group of the socket, or put a proxy before it.',
    );
  }
  if (code === 'ENOENT') {
    return fault('UNREACHABLE', 'is not there: start the engine, or mount its socket where Stowage runs.');
  }
  if (code === 'ECONNREFUSED') return fault('UNREACHABLE', 'refuses connections: is the engine running?');
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return fault('UNREACHABLE', "has a name that can't be resolved.");
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return fault('UNREACHABLE', `shows a certificate for another name: ${messageOf(error)}`);
  }
  if (TLS_REFUSED.test(`${code} ${messageOf(error)}`)) {
    return fault('UNAUTHORIZED', `refuses the certificate that Stowage shows: ${messageOf(error)}`);
  }
  if (TLS.test(code)) {
    return fault(
      'UNREACHABLE',
      `shows a certificate that its ca did not sign, or can't speak TLS: ${messageOf(error)}`,
    );
  }
  if (code.startsWith('HPE_')) return fault('MALFORMED', `does not speak HTTP: ${messageOf(error)}`);
  return fault('UNREACHABLE', `can't be reached: ${messageOf(error)}`);
}

/** What an answer means that is none of those that were hoped for. */
export function faultOfStatus(status: number, document: Json, what: string): RuntimeFault {
  const said = isObject(document) && typeof document['message'] === 'string' ? cut(document['message'], 500) : null;
  const answer = `was answered ${status}${said === null ? '' : `: ${said}`}`;
  if (status === 401 || status === 403) {
    return new RuntimeFault('UNAUTHORIZED', `${what} ${answer}. A proxy before the engine has to allow it.`);
  }
  if (status >= 500) return new RuntimeFault('UNREACHABLE', `${what} ${answer}.`);
  return new RuntimeFault('MALFORMED', `${what} ${answer}: an engine does not answer so.`);
}

/** What the other side says of the certificate of this one. */
const TLS_REFUSED = /alert[ _]((\w+[ _])?certificate|unknown[ _]ca|access[ _]denied)/i;
const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO)/;

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : '';
}
