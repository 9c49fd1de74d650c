import { RegistryError } from '../../domain/errors.ts';
import { textOf } from '../../domain/json.ts';
import { isRepositoryName, type RepositoryName } from '../../domain/reference.ts';
import { parseChallenges, refuseTarget, type HttpClient } from '../../http/index.ts';
import { RegistryApi } from '../api.ts';
import { addressPolicyOf } from '../client.ts';
import { countOf } from '../members.ts';
import { isTrustedRealm } from '../oci/token.ts';
import { Once } from '../once.ts';
import type { Credential, RegistrySettings, RepositoryDescription } from '../registry.ts';
import { signInWith } from '../sign-in.ts';

/** The REST API of the GitLab that signs in for a registry. https://docs.gitlab.com/api/container_registry/ */
export class GitlabApi {
  readonly #settings: RegistrySettings;
  readonly #http: HttpClient;
  readonly #api = new Once((signal) => this.#open(signal));

  constructor(settings: RegistrySettings, http: HttpClient) {
    this.#settings = settings;
    this.#http = http;
  }

  /**
   * Those of the group that the prefix names, with all below it; of the project where it is one; else of the group
   * above. GitLab has no list of all, so a prefix that names no group is UNSUPPORTED.
   */
  async *listRepositories(prefix: string, signal: AbortSignal): AsyncGenerator<readonly RepositoryName[]> {
    const owners = ownersIn(prefix.slice(0, Math.max(prefix.lastIndexOf('/'), 0)));
    if (owners.length === 0) {
      throw new RegistryError(
        'UNSUPPORTED',
        `${this.#settings.host} lists repositories by group or project alone: begin the pattern with one, such as group/*`,
      );
    }
    const api = await this.#api.get(signal);
    for (const [at, owner] of owners.entries()) {
      try {
        const query = `/${owner}/registry/repositories?per_page=100`;
        for await (const page of api.list({ path: query, member: null }, signal)) {
          yield page.flatMap(({ path, status }) => {
            const isGoing = typeof status === 'string' && status.startsWith('delete_');
            return typeof path === 'string' && isRepositoryName(path) && !isGoing ? path : [];
          });
        }
        return;
      } catch (error) {
        const isMissing = error instanceof RegistryError && error.code === 'NOT_FOUND';
        if (!isMissing || at === owners.length - 1) throw error;
      }
    }
  }

  /** What is told of its project; null where no project of that name may be seen. */
  async describeRepository(repository: RepositoryName, signal: AbortSignal): Promise<RepositoryDescription | null> {
    const api = await this.#api.get(signal);
    for (const path of pathsUpwards(repository).filter((project) => project.includes('/'))) {
      const project = await api.find(`/projects/${encodeURIComponent(path)}`, signal);
      if (project === null) continue;
      const { description, visibility, star_count: stars } = project;
      return {
        description: typeof description === 'string' ? description : null,
        isPrivate: textOf(visibility) === null ? null : visibility !== 'public',
        starCount: countOf(stars),
        pullCount: null,
      };
    }
    return null;
  }

  /** Where the registry sends those who sign in, there is GitLab. */
  async #open(signal: AbortSignal): Promise<RegistryApi> {
    const { host, url, credential } = this.#settings;
    const path = `${url.pathname.replace(/\/+$/, '')}/v2/`;
    const request = { method: 'GET', origin: url.origin, path, headers: [], authorization: null } as const;
    const { headers } = await this.#http.send({ ...request, maxBytes: MAX_ANSWER }, signal);
    const realms = parseChallenges(headers['www-authenticate']).flatMap(({ realm }) => realm ?? []);
    const realm = realms.find((text) => URL.canParse(text, url.href) && new URL(text, url).pathname.endsWith(SIGN_IN));
    if (realm === undefined) {
      throw new RegistryError(
        'UNSUPPORTED',
        `${host} does not say at which GitLab to sign in, so its API is not known`,
      );
    }
    const address = new URL(realm, url);
    refuseTarget(address, url, addressPolicyOf(this.#settings), `${host} has its GitLab at`);
    const mayHaveCredential = isTrustedRealm(url, address);
    const api = new URL(address.origin);
    // Not resolved: a path that begins with two slashes would lead to another host.
    api.pathname = `${address.pathname.slice(0, -SIGN_IN.length)}/api/v4`;
    return new RegistryApi(this.#http, {
      url: api,
      signIn: mayHaveCredential ? signInWith(asToken(credential)) : null,
    });
  }
}

const SIGN_IN = '/jwt/auth';
const MAX_ANSWER = 64 * 1024;

/** The password is a token: personal, of a project or of a group. In `Authorization` it stays behind at redirects. */
function asToken(credential: Credential | null): Credential | null {
  return credential?.kind === 'basic' ? { kind: 'bearer', token: credential.password } : credential;
}

/** `a/b/c`, `a/b`, `a`. */
function pathsUpwards(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, at) => parts.slice(0, parts.length - at).join('/'));
}

/** Groups lie in groups, and projects in groups; the nearest first. */
function ownersIn(path: string): string[] {
  return pathsUpwards(path).flatMap((owner) => {
    const id = encodeURIComponent(owner);
    return owner.includes('/') ? [`groups/${id}`, `projects/${id}`] : [`groups/${id}`];
  });
}
