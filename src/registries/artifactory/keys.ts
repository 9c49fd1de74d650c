import type { RepositoryName } from '../../domain/reference.ts';
import type { RegistryApi } from '../api.ts';
import { Once } from '../once.ts';
import { isAbsence } from '../own-list.ts';

/** What an address tells of the Artifactory behind it. */
export interface Address {
  /** What all its APIs are below. */
  readonly base: URL;
  /** The repository key that the address stands for, where its path names one. */
  readonly key: string | null;
  /** The first label of the host, which may be a repository key. */
  readonly label: string;
}

/** Where Artifactory keeps a repository. */
export interface Place {
  readonly key: string;
  /** The name without the key. */
  readonly image: string;
  /** Pushed to it, and not a copy or a view of what lies elsewhere. */
  readonly isStored: boolean;
}

/** `https://host/artifactory/api/docker/<key>` is one key; `https://<key>.host` and `https://host` can't be told apart. */
export function addressOf(url: URL): Address {
  const [, above, key] = /^(.*)\/api\/docker\/([^/]+)\/*$/.exec(url.pathname) ?? [];
  return {
    base: new URL(`${above ?? '/artifactory'}/`, url),
    key: key === undefined ? null : decodeURIComponent(key),
    label: url.hostname.split('.')[0] ?? '',
  };
}

/** The keys of Artifactory's own repositories for images, each of which has a catalog. */
export class Keys {
  readonly #api: RegistryApi;
  readonly #address: Address;
  /** Key to whether images are stored there. */
  readonly #keys = new Once((signal) => this.#list(signal));

  constructor(api: RegistryApi, address: Address) {
    this.#api = api;
    this.#address = address;
  }

  /** All that may be seen; none where none may. */
  all(signal: AbortSignal): Promise<ReadonlyMap<string, boolean>> {
    return this.#keys.get(signal);
  }

  /** The one that the whole address stands for; null where names begin with the key, or where it is not known. */
  async ofAddress(signal: AbortSignal): Promise<string | null> {
    const { key, label } = this.#address;
    return key ?? ((await this.all(signal)).has(label) ? label : null);
  }

  /** Null where it is not known. */
  async placeOf(repository: RepositoryName, signal: AbortSignal): Promise<Place | null> {
    const keys = await this.all(signal);
    const whole = await this.ofAddress(signal);
    const slash = repository.indexOf('/');
    const key = whole ?? repository.slice(0, Math.max(slash, 0));
    const isStored = keys.get(key);
    if (isStored === undefined) return null;
    return { key, image: whole === null ? repository.slice(slash + 1) : repository, isStored };
  }

  async #list(signal: AbortSignal): Promise<ReadonlyMap<string, boolean>> {
    const keys = new Map<string, boolean>();
    try {
      for await (const page of this.#api.list({ path: '/api/repositories?packageType=docker', member: null }, signal)) {
        for (const { key, type } of page) {
          if (typeof key === 'string' && KEY.test(key)) keys.set(key, typeof type === 'string' && STORED.has(type));
        }
      }
    } catch (error) {
      if (!isAbsence(error)) throw error;
    }
    return keys;
  }
}

const KEY = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const STORED = new Set(['LOCAL', 'FEDERATED']);
