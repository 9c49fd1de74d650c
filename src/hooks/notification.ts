import { RegistryError } from '../domain/errors.ts';
import type { JsonObject } from '../domain/json.ts';
import type { RegistryHost, RepositoryName, TagName } from '../domain/reference.ts';
import { documentIn } from './document.ts';
import type { Headers } from './proof.ts';
import { acr } from './senders/acr.ts';
import { artifactRegistry } from './senders/artifact-registry.ts';
import { artifactory } from './senders/artifactory.ts';
import { distribution } from './senders/distribution.ts';
import { dockerHub } from './senders/docker-hub.ts';
import { ecr } from './senders/ecr.ts';
import { gitea } from './senders/gitea.ts';
import { github } from './senders/github.ts';
import { harbor } from './senders/harbor.ts';
import { nexus } from './senders/nexus.ts';
import { quay } from './senders/quay.ts';
import { zot } from './senders/zot.ts';

/** A request to a webhook whose sender is known. */
export interface Notification {
  /** The registry that the webhook is of, whatever the notification says. */
  readonly host: RegistryHost;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

/** What a notification gives reason to look at. It is a hint: nothing else of the notification is used. */
export interface Mention {
  readonly repository: RepositoryName;
  /** Null where it names none, or a digest. */
  readonly tag: TagName | null;
}

/** A notification whose body was read. */
export type Delivery = Omit<Notification, 'body'> & { readonly payload: JsonObject };

/** What sends notifications of one form. */
export interface Sender {
  /** As people call it. */
  readonly name: string;
  recognises(delivery: Delivery): boolean;
  /** What is to be looked at; nothing where nothing changed. Throws MALFORMED, TOO_LARGE or INVALID_REFERENCE. */
  read(delivery: Delivery): readonly Mention[];
}

/** Says what a notification is about, whoever sent it. Throws a RegistryError or INVALID_REFERENCE that says what is wrong. */
export function readNotification({ body, ...request }: Notification): readonly Mention[] {
  const delivery = { ...request, payload: documentIn(request.headers, body) };
  const sender = SENDERS.find((known) => known.recognises(delivery));
  if (sender) return sender.read(delivery);
  const names = SENDERS.map(({ name }) => name).join(', ');
  throw new RegistryError('UNSUPPORTED', `the notification has no form that is known here: those of ${names}`);
}

/** Those known by their headers first: what they send may look like another's. */
const SENDERS: readonly Sender[] = [
  gitea,
  github,
  nexus,
  distribution,
  acr,
  dockerHub,
  quay,
  harbor,
  ecr,
  artifactRegistry,
  artifactory,
  zot,
];
