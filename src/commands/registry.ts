import type { Database } from '../catalog/database.ts';
import { notify } from '../catalog/events.ts';
import * as catalog from '../catalog/write/index.ts';
import { CatalogError } from '../domain/errors.ts';
import { checkHostLimits, type GivenHostLimits } from '../domain/host-limits.ts';
import { parseRegistryHost, type RegistryHost } from '../domain/reference.ts';
import type { RegistryKindName } from '../domain/registry-kind.ts';
import { parseWebhookSecret } from '../domain/secret.ts';
import { shownAddress } from '../domain/web-address.ts';
import type { Credential, OpenRegistryFunction } from '../registries/registry.ts';
import { invalid, notFound, read, type UserError } from './user-error.ts';

export interface CredentialInput {
  readonly username?: string | null;
  readonly password?: string | null;
  /** Sent as a bearer token; with a user name, it is the password. */
  readonly token?: string | null;
  /** The identity that the worker's machine or pod has. */
  readonly ambient?: boolean | null;
}

export interface AddRegistryInput {
  readonly host: string;
  readonly kind?: RegistryKindName | null;
  readonly title?: string | null;
  readonly url?: string | null;
  readonly insecure?: boolean | null;
  readonly credential?: CredentialInput | null;
  /** What its notifications are known by; without one none are taken. */
  readonly webhookSecret?: string | null;
  /** What is left out, or null, is left to us. */
  readonly limits?: Partial<GivenHostLimits> | null;
}

/** What is undefined stays; null takes away. */
export interface UpdateRegistryInput {
  readonly host: string;
  readonly title?: string | null;
  readonly url?: string | null;
  readonly insecure?: boolean | null;
  readonly credential?: CredentialInput | null;
  readonly webhookSecret?: string | null;
  /** What is left out, or null, is left to us. */
  readonly limits?: Partial<GivenHostLimits> | null;
}

export interface RegistryOutcome {
  readonly registryId: number | null;
  readonly userErrors: UserError[];
}

/** What the commands need of the kinds there are. */
export interface RegistryKinds {
  /** The address of a host when none is given. */
  defaultUrl(host: RegistryHost, insecure: boolean | undefined): URL;
  /** The kind of an address when none is given; asks what is there where the address does not tell. */
  detectKind(url: URL): Promise<RegistryKindName>;
  /** Throws INVALID_ARGUMENT where the kind takes no such credential at that address. */
  checkCredential(kind: RegistryKindName, url: URL, credential: Credential | null): void;
  open: OpenRegistryFunction;
}

export interface RegistryCommands {
  addRegistry(input: AddRegistryInput): Promise<RegistryOutcome>;
  updateRegistry(input: UpdateRegistryInput): Promise<RegistryOutcome>;
  removeRegistry(input: { host: string }): Promise<{ removedId: number | null; userErrors: UserError[] }>;
}

export function createRegistryCommands(
  database: Database,
  seal: catalog.Seal,
  kinds: RegistryKinds,
  now: () => Date,
): RegistryCommands {
  /** The stored registry of an input's host, if mutations may change it. */
  async function changeable(errors: UserError[], text: string): Promise<catalog.StoredRegistry | null> {
    const host = read(errors, 'host', () => parseRegistryHost(text));
    if (host === undefined) return null;
    const stored = await catalog.findRegistry(database, { host });
    if (stored === null) {
      errors.push(notFound('host', `The catalog follows no registry "${host}".`));
    } else if (stored.managedBy === 'CONFIG') {
      errors.push(invalid('host', `"${host}" is kept by the configuration file; change it there.`));
    }
    return stored;
  }

  return {
    async addRegistry(input) {
      const errors: UserError[] = [];
      const host = read(errors, 'host', () => parseRegistryHost(input.host));
      if (host === undefined) return { registryId: null, userErrors: errors };
      const insecure = input.insecure ?? undefined;
      const url = read(errors, 'url', () =>
        parseRegistryUrl(input.url ?? kinds.defaultUrl(host, insecure).href, insecure),
      );
      const credential = readCredential(errors, input.credential);
      const webhookSecret = readWebhookSecret(errors, input.webhookSecret);
      const limits = readLimits(errors, input.limits);
      const existing = await catalog.findRegistry(database, { host });
      if (existing) errors.push(invalid('host', `The catalog follows "${host}" already; use updateRegistry.`));
      if (errors.length > 0 || url === undefined) return { registryId: null, userErrors: errors };
      const kind = input.kind ?? (await kinds.detectKind(url));
      read(errors, 'credential', () => kinds.checkCredential(kind, url, credential));
      if (errors.length > 0) return { registryId: null, userErrors: errors };
      const registryId = await catalog.saveRegistry(database, {
        host,
        kind,
        title: input.title ?? null,
        url: url.href,
        managedBy: 'API',
        ...catalog.sealSecrets(seal, host, { credential, webhookSecret }),
        limits,
      });
      return { registryId, userErrors: [] };
    },

    async updateRegistry(input) {
      const errors: UserError[] = [];
      const stored = await changeable(errors, input.host);
      if (stored === null || errors.length > 0) return { registryId: null, userErrors: errors };
      const url = read(errors, 'url', () => newUrl(stored, input, kinds));
      const given = readCredential(errors, input.credential);
      if (url) read(errors, 'credential', () => kinds.checkCredential(stored.kind, url, given));
      const secrets = catalog.sealSecrets(seal, stored.host, {
        credential: given,
        webhookSecret: readWebhookSecret(errors, input.webhookSecret),
      });
      const credential = input.credential === undefined ? stored.credential : secrets.credential;
      const webhookSecret = input.webhookSecret === undefined ? stored.webhookSecret : secrets.webhookSecret;
      const limits = input.limits === undefined ? stored.limits : readLimits(errors, input.limits);
      if (errors.length > 0 || url === undefined) return { registryId: null, userErrors: errors };
      const title = input.title === undefined ? stored.title : input.title;
      await catalog.saveRegistry(database, { ...stored, title, url: url.href, credential, webhookSecret, limits });
      if (url.href !== stored.url || input.credential !== undefined) await catalog.forgetPace(database, stored.id);
      await notify(database, 'stowage_registry_changed', stored.id);
      return { registryId: stored.id, userErrors: [] };
    },

    async removeRegistry(input) {
      const errors: UserError[] = [];
      const stored = await changeable(errors, input.host);
      if (stored === null || errors.length > 0) return { removedId: null, userErrors: errors };
      for (const id of await catalog.unfinishedRunsOfRegistry(database, stored.id)) {
        await catalog.cancelSyncRun(database, id, now());
        await notify(database, 'stowage_sync_cancelled', id);
      }
      await catalog.removeRegistry(database, stored.id);
      await notify(database, 'stowage_registry_changed', stored.id);
      return { removedId: stored.id, userErrors: [] };
    },
  };
}

/** http, https or file; no user, query or fragment. Throws INVALID_ARGUMENT. */
export function parseRegistryUrl(text: string, insecure: boolean | undefined): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isKnown = url !== null && /^(https?|file):$/.test(url.protocol);
  if (url === null || !isKnown || url.username || url.password || url.search || url.hash) {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `"${shownAddress(text)}" is not a registry's address: write https://host, http://host or file:///path, without a user or a query.`,
    );
  }
  if (insecure === false && url.protocol === 'http:') {
    throw new CatalogError('INVALID_ARGUMENT', `"${shownAddress(text)}" is plain HTTP, and insecure is false.`);
  }
  return url;
}

function newUrl(stored: catalog.StoredRegistry, input: UpdateRegistryInput, kinds: RegistryKinds): URL {
  const insecure = input.insecure ?? undefined;
  if (input.url) return parseRegistryUrl(input.url, insecure);
  if (input.url === null) return kinds.defaultUrl(stored.host, insecure);
  const url = new URL(stored.url);
  if (insecure !== undefined && url.protocol !== 'file:') url.protocol = insecure ? 'http:' : 'https:';
  return url;
}

function readCredential(errors: UserError[], input: CredentialInput | null | undefined): Credential | null {
  if (!input) return null;
  const { username, password, token, ambient } = input;
  const secret = password ?? token;
  if (!ambient && username && secret && !(password && token)) return { kind: 'basic', username, password: secret };
  if (!ambient && !username && !password && token) return { kind: 'bearer', token };
  if (ambient && !username && !secret) return { kind: 'ambient' };
  const forms = 'a username and a password, a username and a token, a token, or ambient: true';
  errors.push(invalid('credential', `A credential is ${forms}.`));
  return null;
}

function readWebhookSecret(errors: UserError[], input: string | null | undefined): string | null {
  return input == null ? null : (read(errors, 'webhookSecret', () => parseWebhookSecret(input)) ?? null);
}

function readLimits(errors: UserError[], input: Partial<GivenHostLimits> | null | undefined): GivenHostLimits {
  const limits = { concurrency: input?.concurrency ?? null, requestsPerSecond: input?.requestsPerSecond ?? null };
  read(errors, 'limits', () => checkHostLimits(limits));
  return limits;
}
