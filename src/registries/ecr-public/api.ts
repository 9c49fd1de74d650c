import type { ECRPUBLIC, ImageTagDetail } from '@aws-sdk/client-ecr-public';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { isRepositoryName, isTagName, type TagName } from '../../domain/reference.ts';
import type { HttpClient } from '../../http/index.ts';
import { awsCredentials, imageIdOf, issuedCredential, pushedAt, refuseFailures } from '../ecr/api.ts';
import { AWS_PAGE, awsPages } from '../ecr/aws-pages.ts';
import { AwsRequests } from '../ecr/aws-requests.ts';
import type { IssuedCredential } from '../oci/credential-source.ts';
import { Once } from '../once.ts';
import type { ListedTag, RegistrySettings } from '../registry.ts';
import { isPublicEcr } from './host.ts';

/** One of our own repositories, by the names that the API has for it. */
export interface OwnRepository {
  readonly registryId: string;
  /** Without the alias of the registry, which begins the name in references. */
  readonly repositoryName: string;
}

/**
 * The API of our own part of ECR Public. Where the registry has an address of its own, the API is there, too.
 * https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/Welcome.html
 */
export class EcrPublicApi {
  readonly requests: AwsRequests;
  readonly #settings: RegistrySettings;
  #sdk: Promise<ECRPUBLIC> | null = null;
  readonly #aliases = new Once((signal) => this.#listAliases(signal));

  constructor(settings: RegistrySettings, http: HttpClient) {
    this.#settings = settings;
    this.requests = new AwsRequests(settings, http);
  }

  async issueCredential(signal: AbortSignal): Promise<IssuedCredential> {
    const { authorizationData } = await this.#call('GetAuthorizationToken', signal, (ecr, options) =>
      ecr.getAuthorizationToken({}, options),
    );
    return issuedCredential(authorizationData, this.#settings.host);
  }

  /** Null for a repository of somebody else, of whom the API tells nothing. */
  async findOwn(repository: string, signal: AbortSignal): Promise<OwnRepository | null> {
    const slash = repository.indexOf('/');
    const registryId = slash < 0 ? undefined : (await this.#aliases.get(signal)).get(repository.slice(0, slash));
    return registryId === undefined ? null : { registryId, repositoryName: repository.slice(slash + 1) };
  }

  async *listRepositories({ registryId }: OwnRepository, alias: string, signal: AbortSignal) {
    const pages = awsPages(`the repositories of ${this.#settings.host}`, (nextToken) =>
      this.#call('DescribeRepositories', signal, (ecr, options) =>
        ecr.describeRepositories({ registryId, maxResults: AWS_PAGE, nextToken }, options),
      ),
    );
    for await (const { repositories = [] } of pages) {
      yield repositories.map(({ repositoryName = '' }) => `${alias}/${repositoryName}`).filter(isRepositoryName);
    }
  }

  /** Each with its digest and the time of its push. */
  async *listTags(own: OwnRepository, signal: AbortSignal): AsyncGenerator<readonly ListedTag[]> {
    const pages = awsPages(`the tags of ${this.#settings.host}/${own.repositoryName}`, (nextToken) =>
      this.#call('DescribeImageTags', signal, (ecr, options) =>
        ecr.describeImageTags({ ...own, maxResults: AWS_PAGE, nextToken }, options),
      ),
    );
    for await (const { imageTagDetails = [] } of pages) yield imageTagDetails.flatMap(tagIn);
  }

  /** What its page in the gallery says. */
  async describe(own: OwnRepository, signal: AbortSignal): Promise<string> {
    const { catalogData } = await this.#call('GetRepositoryCatalogData', signal, (ecr, options) =>
      ecr.getRepositoryCatalogData(own, options),
    );
    return catalogData?.description ?? '';
  }

  /** By name a tag, and with the last one the image; by digest the image with all its tags. */
  async deleteImage(own: OwnRepository, target: TagName | Digest, signal: AbortSignal): Promise<void> {
    const { failures = [] } = await this.#call('BatchDeleteImage', signal, (ecr, options) =>
      ecr.batchDeleteImage({ ...own, imageIds: [imageIdOf(target)] }, options),
    );
    refuseFailures(failures, `BatchDeleteImage of ${this.#settings.host}/${own.repositoryName}`);
  }

  /** The names that our registry has in references, each with the account that it is of. */
  async #listAliases(signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const aliases = new Map<string, string>();
    const pages = awsPages(`the aliases of ${this.#settings.host}`, (nextToken) =>
      this.#call('DescribeRegistries', signal, (ecr, options) => ecr.describeRegistries({ nextToken }, options)),
    );
    for await (const { registries = [] } of pages) {
      for (const { registryId = '', aliases: names = [] } of registries) {
        for (const { name } of names) if (name !== undefined) aliases.set(name, registryId);
      }
    }
    return aliases;
  }

  #call<Output>(
    action: string,
    signal: AbortSignal,
    send: (ecr: ECRPUBLIC, options: { abortSignal: AbortSignal }) => Promise<Output>,
  ): Promise<Output> {
    return this.requests.call(`${action} of ${this.#settings.host}`, signal, async (options) => {
      this.#sdk ??= this.#load();
      return send(await this.#sdk, options);
    });
  }

  async #load(): Promise<ECRPUBLIC> {
    const { ECRPUBLIC } = await import('@aws-sdk/client-ecr-public');
    const { url, credential } = this.#settings;
    return new ECRPUBLIC({
      // The only region that has the API.
      region: 'us-east-1',
      ...(!isPublicEcr(url.hostname) && { endpoint: url.origin }),
      ...awsCredentials(credential),
      requestHandler: this.requests,
      maxAttempts: 1,
    });
  }
}

function tagIn({ imageTag = '', imageDetail: { imageDigest = '', imagePushedAt } = {} }: ImageTagDetail): ListedTag[] {
  if (!isTagName(imageTag) || !isDigest(imageDigest)) return [];
  return [{ name: imageTag, digest: imageDigest, ...pushedAt(imagePushedAt) }];
}
