import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Commands, Webhook } from '../commands/index.ts';
import { CatalogError, RegistryError } from '../domain/errors.ts';
import { parseRegistryHost, type RegistryHost } from '../domain/reference.ts';
import { isReadable, isSigned, isSignedWith, provesItself, readNotification } from '../hooks/index.ts';
import { countNotification, type NotificationResult } from '../telemetry/index.ts';
import { faultOf } from './faults.ts';
import { MAX_BODY, NO_ROOM } from './limits.ts';

/**
 * POST /hooks/<registry> and /hooks/<registry>/<secret>: where registries say that something changed. 202 where it is
 * looked at, 204 where nothing is to be done, 400 with what is wrong, 401 without the secret; where a registry takes no
 * notifications, there is nothing. The registry is that of the address, whatever the notification says.
 */
export function receiveNotifications(app: FastifyInstance, commands: Commands, log: Logger): void {
  const senders = new WeakMap<FastifyRequest, KnownSender>();
  let unproven = 0;

  /** Before the body is read: what is sent by nobody in particular costs nothing. */
  async function admit(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { host, secret } = placeOf(request);
    const webhook = host && (await commands.findWebhook(host));
    if (!webhook) return reply.callNotFound();
    const { headers } = request;
    if (headers['content-encoding'] !== undefined || !isReadable(headers['content-type'])) {
      return reply.code(415).send(faultOf('BAD_REQUEST', 'A notification is JSON that is not compressed.'));
    }
    const isKnown = provesItself(webhook.secret, secret, headers);
    senders.set(request, { host, webhook, isKnown });
    if (!isKnown) {
      if (!isSigned(headers)) return refuse(reply);
      const length = Number(headers['content-length'] ?? MAX_BODY);
      if (unproven + length > MAX_UNPROVEN) return reply.code(503).send(faultOf('SERVICE_UNAVAILABLE', NO_ROOM));
      unproven += length;
      reply.raw.once('close', () => (unproven -= length));
    }
    return undefined;
  }

  async function receive(request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
    const { host, webhook, isKnown } = senders.get(request) as KnownSender;
    const { headers } = request;
    const body = (request.body ?? Buffer.alloc(0)) as Buffer;
    try {
      if (!isKnown && !isSignedWith(webhook.secret, headers, body)) return await refuse(reply);
      const isLookedAt = await commands.lookAt(webhook, readNotification({ host, headers, body }));
      return await reply.code(isLookedAt ? 202 : 204).send();
    } catch (error) {
      if (!isFault(error)) throw error;
      log.warn(`${host}: ${error.message}`);
      return reply.code(400).send(faultOf('BAD_REQUEST', `${error.message}.`));
    }
  }

  void app.register((hooks, _, done) => {
    hooks.removeAllContentTypeParsers();
    hooks.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    hooks.addHook('onResponse', (request, reply, replied) => {
      const sender = senders.get(request);
      if (sender) countNotification(sender.host, RESULTS[reply.statusCode] ?? 'failed');
      replied();
    });
    hooks.post('/hooks/*', { onRequest: admit }, receive);
    done();
  });
}

interface KnownSender {
  readonly host: RegistryHost;
  readonly webhook: Webhook;
  /** False where the signature is still to be checked. */
  readonly isKnown: boolean;
}

/** What an answer says, for those who count. */
const RESULTS: Readonly<Record<number, NotificationResult | undefined>> = {
  202: 'taken',
  204: 'ignored',
  400: 'broken',
  401: 'unproven',
  413: 'broken',
};

/** Bytes of all bodies that are read to find out who sent them. */
const MAX_UNPROVEN = 64 * MAX_BODY;

function placeOf({ params }: FastifyRequest): { host: RegistryHost | null; secret: string | null } {
  const path = (params as { '*': string })['*'];
  const slash = path.indexOf('/');
  const secret = slash < 0 ? null : path.slice(slash + 1);
  try {
    return { host: parseRegistryHost(slash < 0 ? path : path.slice(0, slash)), secret };
  } catch {
    return { host: null, secret };
  }
}

function refuse(reply: FastifyReply): FastifyReply {
  const message = 'The notification does not show the secret of this webhook.';
  return reply.code(401).header('www-authenticate', 'Bearer').send(faultOf('UNAUTHENTICATED', message));
}

/** What is wrong with the notification; not what is wrong here. */
function isFault(error: unknown): error is Error {
  return error instanceof RegistryError || (error instanceof CatalogError && error.code === 'INVALID_REFERENCE');
}
