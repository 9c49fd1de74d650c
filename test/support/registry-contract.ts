import { digestOf } from '../../src/domain/digest.ts';
import type { RegistryHost, RepositoryName, TagName } from '../../src/domain/reference.ts';
import type { RegistryKindName } from '../../src/domain/registry-kind.ts';
import { DEFAULT_HOST_LIMITS, openPacedGate, type HttpClient } from '../../src/http/index.ts';
import { openClient } from '../../src/registries/client.ts';
import { recogniseKind, registryKinds } from '../../src/registries/index.ts';
import type {
  Credential,
  ListedTag,
  OpenRegistry,
  RegistrySettings,
  RepositoryDescription,
} from '../../src/registries/registry.ts';
import { sampleTest } from './samples.ts';
import { MemoryPace } from './memory-pace.ts';
import { startScriptedServer, type Entry, type ScriptedServer } from './scripted-server.ts';

type Answer = Pick<Entry, 'status' | 'headers' | 'body'>;

/** How a server on loopback plays a kind of registry, with its own documents. */
export interface RegistryPlay {
  readonly kind: RegistryKindName;
  /** Addresses that are known to be of this kind. */
  readonly addresses: readonly string[];
  open(settings: RegistrySettings, http: HttpClient): OpenRegistry | Promise<OpenRegistry>;
  readonly repository: string;
  /** Of every call that is not about signing in; null where the registry may be asked as anybody. */
  readonly credential?: Credential | null;
  /** What the registry is asked besides, such as for a token. */
  readonly always?: (origin: string) => readonly Entry[];
  /** The tags of the repository, on two pages. The first leads to the second at `origin`. */
  pages(origin: string): readonly [Entry, Entry];
  /** What these pages say. */
  readonly tags: readonly { name: string; digest?: string; previous?: readonly string[]; pushedAt?: Date }[];
  /** False where pages are numbered, or continued by a token, and so can lead nowhere else. */
  readonly pagesAreLinked?: false;
  readonly signIn: {
    readonly credential: Credential;
    /** What is asked before the first page, which then is sent with `authorization`. */
    right(origin: string): readonly Entry[];
    readonly authorization: string | RegExp;
    /** All that is asked where the credential is wrong. */
    wrong(origin: string): readonly Entry[];
  };
  /** What is asked where the repository is not there; else the first page is answered with 404. */
  readonly missing?: readonly Entry[];
  /** How the registry says that it is to be left alone until then. */
  limited(until: Date): Answer;
  /** False where it does not say until when. */
  readonly saysUntil?: false;
  /** Where the kind can describe a repository. */
  readonly described?: { readonly entries: readonly Entry[]; readonly expected: RepositoryDescription };
  /** Where the kind lists repositories in a way of its own. */
  readonly listed?: {
    readonly prefix: string;
    entries(origin: string): readonly Entry[];
    readonly expected: readonly string[];
  };
}

export const never = new AbortController().signal;

/**
 * What every kind of registry does alike, and then what only this one does. The documents are samples, so that without
 * them only the kind's own tests are run.
 */
export function describeRegistry(play: RegistryPlay, quirks: () => void): void {
  describe(play.kind, () => {
    const repository = play.repository as RepositoryName;
    const tagsAt = (registry: OpenRegistry) => namesAndAll(registry.listTags(repository, never));

    test('is registered, and known by its addresses', () => {
      expect(registryKinds.map(({ kind }) => kind)).toContain(play.kind);
      expect(play.addresses.map((address) => recogniseKind(new URL(address)))).toEqual(
        play.addresses.map(() => play.kind),
      );
    });

    sampleTest('two pages of tags are one list', async () => {
      const { registry, server } = await openPlayed(play, (origin) => play.pages(origin));
      expect(await tagsAt(registry)).toEqual(play.tags);
      server.verify();
    });

    sampleTest('the right credential signs in', async () => {
      const { credential, right, authorization } = play.signIn;
      const signedIn = { having: { authorization } };
      const script = (origin: string) => [
        ...right(origin),
        ...play.pages(origin).map((page) => ({ ...page, having: { ...page.having, ...signedIn.having } })),
      ];
      const { registry, server } = await openPlayed(play, script, credential);
      expect(await tagsAt(registry)).toEqual(play.tags);
      server.verify();
    });

    sampleTest('a wrong credential is UNAUTHORIZED, and is not shown', async () => {
      const { credential, wrong } = play.signIn;
      const { registry, server } = await openPlayed(play, wrong, credential);
      const error: unknown = await tagsAt(registry).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'UNAUTHORIZED' });
      for (const secret of secretsOf(credential)) expect(String(error)).not.toContain(secret);
      server.verify();
    });

    sampleTest('a repository that is not there is NOT_FOUND', async () => {
      const first = (origin: string) => ({ ...play.pages(origin)[0], ...answer(404, {}) });
      const { registry, server } = await openPlayed(play, (origin) => play.missing ?? [first(origin)]);
      await expect(tagsAt(registry)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      server.verify();
    });

    sampleTest('a limit is told with its end, and kept to', async () => {
      const until = new Date(Math.ceil(Date.now() / 1000) * 1000 + 120_000);
      const limited = (origin: string) => ({ ...play.pages(origin)[0], ...play.limited(until) });
      const { registry, server } = await openPlayed(play, (origin) => [limited(origin)]);
      const error: unknown = await tagsAt(registry).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'RATE_LIMITED', retryAt: expect.any(Date) });
      const { retryAt } = error as { retryAt: Date };
      if (play.saysUntil !== false) expect(Math.abs(retryAt.getTime() - until.getTime())).toBeLessThanOrEqual(2_000);
      await expect(tagsAt(registry)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
      server.verify();
    });

    sampleTest('a failure of the server is tried again', async () => {
      const script = (origin: string) => [{ ...play.pages(origin)[0], ...answer(503, 'busy') }, ...play.pages(origin)];
      const { registry, server } = await openPlayed(play, script);
      expect(await tagsAt(registry)).toEqual(play.tags);
      server.verify();
    });

    sampleTest.each([
      ['JSON that breaks off', '{"name": [', 'MALFORMED'],
      ['a page of a portal', '<!DOCTYPE html><html><body>Sign in</body></html>', 'NOT_A_REGISTRY'],
    ])('%s is no list of tags', async (_name, body, code) => {
      const { registry, server } = await openPlayed(play, (origin) => [
        { ...play.pages(origin)[0], ...answer(200, body) },
      ]);
      await expect(tagsAt(registry)).rejects.toMatchObject({ code });
      server.verify();
    });

    sampleTest('a manifest of other bytes than its digest names is refused', async () => {
      const digest = digestOf(Buffer.from('what was asked for'));
      const request = `GET /v2/${play.repository}/manifests/${digest}`;
      const { registry, server } = await openPlayed(play, () => [{ request, body: { schemaVersion: 2 }, times: 2 }]);
      await expect(registry.fetchManifest(repository, digest, never)).rejects.toMatchObject({
        code: 'DIGEST_MISMATCH',
      });
      server.verify();
    });

    if (play.pagesAreLinked !== false) {
      sampleTest('a page that another host is said to have is refused, and that host is not asked', async () => {
        const foreign = await started();
        const { registry, server } = await openPlayed(play, () => [play.pages(foreign.url.origin)[0]]);
        await expect(tagsAt(registry)).rejects.toMatchObject({ code: 'REFUSED_ADDRESS' });
        server.verify();
        expect(foreign.requests).toEqual([]);
      });
    }

    const { described, listed } = play;
    if (described !== undefined) {
      sampleTest('a repository is described; null where it is not there', async () => {
        const absent = described.entries.slice(0, 1).map((entry) => ({ ...entry, ...answer(404, {}) }));
        const { registry, server } = await openPlayed(play, () => [...described.entries, ...absent]);
        expect(await registry.describeRepository?.(repository, never)).toEqual(described.expected);
        expect(await registry.describeRepository?.(repository, never)).toBeNull();
        server.verify();
      });
    }
    if (listed !== undefined) {
      sampleTest('repositories are listed', async () => {
        const { registry, server } = await openPlayed(play, (origin) => listed.entries(origin));
        const pages = await Array.fromAsync(registry.listRepositories?.(listed.prefix, never) ?? []);
        expect(pages.flat()).toEqual(listed.expected);
        server.verify();
      });
    }

    describe('what only it does', quirks);
  });
}

/** A server that plays the registry by a script, and the registry opened on it. Both are closed after the test. */
export async function openPlayed(
  play: Pick<RegistryPlay, 'open' | 'always' | 'credential'>,
  script: (origin: string) => readonly Entry[],
  credential: Credential | null = play.credential ?? null,
): Promise<{ registry: OpenRegistry; server: ScriptedServer }> {
  const server = await started();
  const { origin } = server.url;
  server.script(...script(origin), ...(play.always?.(origin) ?? []));
  const gate = openPacedGate(new MemoryPace(), DEFAULT_HOST_LIMITS);
  opened.push(gate);
  const settings = { host: server.url.host as RegistryHost, url: server.url, credential, gate };
  const registry = await play.open(settings, openClient(settings, { retryPauses: [1, 1] }));
  opened.push(registry);
  return { registry, server };
}

export async function namesAndAll(pages: AsyncIterable<readonly ListedTag[]>): Promise<ListedTag[]> {
  return (await Array.fromAsync(pages)).flat();
}

export const asTag = (name: string) => name as TagName;

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
});

async function started(): Promise<ScriptedServer> {
  const server = await startScriptedServer();
  opened.push(server);
  return server;
}

function answer(status: number, body: string | object): Required<Answer> {
  return { status, headers: {}, body };
}

function secretsOf(credential: Credential): string[] {
  if (credential.kind === 'ambient') return [];
  return [credential.kind === 'basic' ? credential.password : credential.token];
}
