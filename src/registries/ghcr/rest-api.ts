import { RegistryError } from '../../domain/errors.ts';
import { textOf } from '../../domain/json.ts';
import type { RepositoryName } from '../../domain/reference.ts';
import type { HttpClient } from '../../http/index.ts';
import { RegistryApi } from '../api.ts';
import { Once } from '../once.ts';
import { saidOrNull } from '../own-list.ts';

/** GitHub's REST API, which knows organisations, users, and whom a token belongs to by different paths. */
export class RestApi extends RegistryApi {
  readonly #owners = new Map<string, Once<string>>();
  /** Whom the token belongs to; null where it is nobody's, such as a workflow's. */
  readonly #login = new Once((signal) => this.#findLogin(signal));

  /** Where the packages of an owner are. NOT_FOUND where there is no such owner. Asked once of each. */
  pathOfOwner(owner: string, signal: AbortSignal): Promise<string> {
    const known = this.#owners.get(owner) ?? new Once((asking) => this.#findOwner(owner, asking));
    this.#owners.set(owner, known);
    return known.get(signal);
  }

  /** Where the package is that a repository is: the name behind the owner may have slashes in it. */
  async pathOfPackage(repository: RepositoryName, signal: AbortSignal): Promise<string> {
    const [owner = '', ...name] = repository.split('/');
    const packages = await this.pathOfOwner(owner, signal);
    return `${packages}/container/${encodeURIComponent(name.join('/'))}`;
  }

  async #findOwner(owner: string, signal: AbortSignal): Promise<string> {
    const account = await this.find(`/users/${encodeURIComponent(owner)}`, signal);
    if (account === null) throw new RegistryError('NOT_FOUND', `GitHub has no user or organisation "${owner}"`);
    if (account['type'] === 'Organization') return `/orgs/${owner}/packages`;
    // What is private of a user is shown to that user alone, and at another path.
    return (await this.#login.get(signal)) === owner ? '/user/packages' : `/users/${owner}/packages`;
  }

  async #findLogin(signal: AbortSignal): Promise<string | null> {
    const self = await saidOrNull(this.find('/user', signal));
    return textOf(self?.['login'])?.toLowerCase() ?? null;
  }
}

/** https://docs.github.com/en/rest/about-the-rest-api/api-versions */
export function openRestApi(http: HttpClient, url: URL, token: string): RestApi {
  const headers = ['accept', 'application/vnd.github+json', 'x-github-api-version', '2022-11-28'];
  return new RestApi(http, { url, headers, signIn: { authorization: () => `Bearer ${token}` } });
}
