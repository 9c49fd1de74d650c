import type { ECR, ImageDetail } from '@aws-sdk/client-ecr';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { RegistryError } from '../../domain/errors.ts';
import { isRepositoryName, isTagName, type RepositoryName, type TagName } from '../../domain/reference.ts';
import type { HttpClient } from '../../http/index.ts';
import type { IssuedCredential } from '../oci/credential-source.ts';
import type { Credential, ListedTag, RegistrySettings } from '../registry.ts';
import { AWS_PAGE, awsPages } from './aws-pages.ts';
import { AwsRequests } from './aws-requests.ts';
import { parseEcrHost, type EcrHost } from './host.ts';

/**
 * The API of one registry of Amazon's. Where the registry has an address of its own, the API is there, too; else it is
 * where the SDK finds it for the region. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/Welcome.html
 */
export class EcrApi {
  readonly requests: AwsRequests;
  readonly #settings: RegistrySettings;
  readonly #host: EcrHost;
  #sdk: Promise<ECR> | null = null;

  constructor(settings: RegistrySettings, host: EcrHost, http: HttpClient) {
    this.#settings = settings;
    this.#host = host;
    this.requests = new AwsRequests(settings, http);
  }

  /** The user AWS with its password, which is good for twelve hours. */
  async issueCredential(signal: AbortSignal): Promise<IssuedCredential> {
    const { authorizationData } = await this.#call('GetAuthorizationToken', signal, (ecr, options) =>
      ecr.getAuthorizationToken({}, options),
    );
    return issuedCredential(authorizationData?.[0], this.#settings.host);
  }

  async *listRepositories(signal: AbortSignal): AsyncGenerator<readonly RepositoryName[]> {
    const wanted = { registryId: this.#host.account, maxResults: AWS_PAGE };
    const pages = awsPages(`the repositories of ${this.#settings.host}`, (nextToken) =>
      this.#call('DescribeRepositories', signal, (ecr, options) =>
        ecr.describeRepositories({ ...wanted, nextToken }, options),
      ),
    );
    for await (const { repositories = [] } of pages) {
      yield repositories.flatMap(({ repositoryName = '' }) => (isRepositoryName(repositoryName) ? repositoryName : []));
    }
  }

  /** Each with its digest and the time of its push: an item of the API is a manifest with all its tags. */
  async *listTags(repositoryName: RepositoryName, signal: AbortSignal): AsyncGenerator<readonly ListedTag[]> {
    const wanted = { registryId: this.#host.account, repositoryName, maxResults: AWS_PAGE, filter: TAGGED };
    const pages = awsPages(`the tags of ${this.#settings.host}/${repositoryName}`, (nextToken) =>
      this.#call('DescribeImages', signal, (ecr, options) => ecr.describeImages({ ...wanted, nextToken }, options)),
    );
    for await (const { imageDetails = [] } of pages) yield imageDetails.flatMap(tagsOf);
  }

  /** By name a tag, and with the last one the image; by digest the image with all its tags. */
  async deleteImage(repositoryName: RepositoryName, target: TagName | Digest, signal: AbortSignal): Promise<void> {
    const imageIds = [imageIdOf(target)];
    const { failures = [] } = await this.#call('BatchDeleteImage', signal, (ecr, options) =>
      ecr.batchDeleteImage({ registryId: this.#host.account, repositoryName, imageIds }, options),
    );
    refuseFailures(failures, `BatchDeleteImage of ${this.#settings.host}/${repositoryName}`);
  }

  #call<Output>(
    action: string,
    signal: AbortSignal,
    send: (ecr: ECR, options: { abortSignal: AbortSignal }) => Promise<Output>,
  ): Promise<Output> {
    return this.requests.call(`${action} of ${this.#settings.host}`, signal, async (options) => {
      this.#sdk ??= this.#load();
      return send(await this.#sdk, options);
    });
  }

  /** Only where it is needed: it takes a quarter of a second and 25 MB. */
  async #load(): Promise<ECR> {
    const { ECR } = await import('@aws-sdk/client-ecr');
    const { url, credential } = this.#settings;
    const { region, isFips, isDualStack } = this.#host;
    return new ECR({
      region,
      useFipsEndpoint: isFips,
      useDualstackEndpoint: isDualStack,
      ...(parseEcrHost(url.hostname) === null && { endpoint: url.origin }),
      ...awsCredentials(credential),
      requestHandler: this.requests,
      maxAttempts: 1,
    });
  }
}

const TAGGED = { tagStatus: 'TAGGED' } as const;

/** An access key, or, where there is none, whatever identity the process has. */
export function awsCredentials(credential: Credential | null) {
  if (credential?.kind !== 'basic') return {};
  return { credentials: { accessKeyId: credential.username, secretAccessKey: credential.password } };
}

/** The user and the password that an authorization token holds. */
export function issuedCredential(
  data: { readonly authorizationToken?: string | undefined; readonly expiresAt?: Date | undefined } | undefined,
  host: string,
): IssuedCredential {
  const token = Buffer.from(data?.authorizationToken ?? '', 'base64').toString();
  const [, username, password] = /^([^:]+):(.+)$/s.exec(token) ?? [];
  const { expiresAt } = data ?? {};
  if (username === undefined || password === undefined || expiresAt === undefined) {
    throw new RegistryError('UNAUTHORIZED', `GetAuthorizationToken of ${host}: there is no token in the answer`);
  }
  return { credential: { kind: 'basic', username, password }, expiresAt };
}

export function imageIdOf(target: TagName | Digest): { imageDigest: string } | { imageTag: string } {
  return isDigest(target) ? { imageDigest: target } : { imageTag: target };
}

/** What is not there is no failure of a deletion: whether it is, is asked of the registry afterwards. */
export function refuseFailures(
  failures: readonly { readonly failureCode?: string | undefined; readonly failureReason?: string | undefined }[],
  what: string,
): void {
  const failure = failures.find(({ failureCode }) => failureCode !== 'ImageNotFound');
  if (failure === undefined) return;
  const { failureCode = 'unknown', failureReason = '' } = failure;
  throw new RegistryError('UNSUPPORTED', `${what} was refused (${failureCode}: ${failureReason.slice(0, 300)})`, {
    status: 200,
    registryCode: failureCode,
  });
}

function tagsOf({ imageTags = [], imageDigest = '', imagePushedAt }: ImageDetail): ListedTag[] {
  if (!isDigest(imageDigest)) return [];
  return imageTags.filter(isTagName).map((name) => ({ name, digest: imageDigest, ...pushedAt(imagePushedAt) }));
}

/** Nothing where AWS gives no time, or one that is none. */
export function pushedAt(time: Date | undefined): { pushedAt?: Date } {
  return time === undefined || Number.isNaN(time.getTime()) ? {} : { pushedAt: time };
}
