import { z } from 'zod';
import { checkHostLimits, type GivenHostLimits } from '../domain/host-limits.ts';
import { INSPECTION_LIMITS, type InspectionLimits } from '../domain/inspection-limits.ts';
import { parsePlatform } from '../domain/platform.ts';
import { parseRegistryHost, type RegistryHost } from '../domain/reference.ts';
import { REGISTRY_KINDS, type RegistryKindName } from '../domain/registry-kind.ts';
import { parseSchedule } from '../domain/schedule.ts';
import { parseWebhookSecret } from '../domain/secret.ts';
import { shownAddress } from '../domain/web-address.ts';
import { NEWEST_BY, parseRepositorySelection, parseTagSelection, type NewestBy } from '../domain/selection.ts';
import type { Environment } from './environment.ts';
import { readDocument } from './document.ts';
import { inspection } from './declared-inspection.ts';
import { containers, runtime, type DeclaredRuntime } from './declared-runtime.ts';
import { namesOf, onceEach, parsedBy } from './schema.ts';

/** What stowage.yaml asks for, with the values of the secrets that it names. */
export interface Declarations {
  readonly registries: readonly DeclaredRegistry[];
  readonly sources: readonly DeclaredSource[];
  readonly runtimes: readonly DeclaredRuntime[];
  /** Patterns of names of containers' labels that are not kept. */
  readonly deniedLabels: readonly string[];
  /** How much is downloaded to see what images hold. */
  readonly inspection: InspectionLimits;
}

export type { DeclaredRuntime } from './declared-runtime.ts';

export interface DeclaredRegistry {
  readonly host: RegistryHost;
  /** Null means: found out from the address. */
  readonly kind: RegistryKindName | null;
  /** Null means: made of the host. */
  readonly url: URL | null;
  readonly title: string | null;
  /** Over plain HTTP, or not even on loopback; null leaves it to the host. */
  readonly insecure: boolean | null;
  readonly credential: DeclaredCredential | null;
  /** What its notifications are known by; null means that none are taken. */
  readonly webhookSecret: string | null;
  /** Of each of its hosts; null leaves it to us. */
  readonly limits: GivenHostLimits;
}

export type DeclaredCredential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** As the identity that the worker's machine or pod has at its cloud. */
  | { readonly kind: 'ambient' }
  /** As the user who runs Stowage signed in with docker login. */
  | { readonly kind: 'docker-config' };

export interface DeclaredSource {
  readonly registry: RegistryHost;
  /** Selection of repositories. */
  readonly repositories: string;
  /** Selection of tags; null means all. */
  readonly tags: string | null;
  /** Null means all. */
  readonly maxTags: number | null;
  readonly newestBy: NewestBy;
  /** Such as linux/arm64; empty means all. */
  readonly platforms: readonly string[];
  /** A cron line in UTC; null means only when asked. */
  readonly schedule: string | null;
  /** Whether what its images hold is looked at. */
  readonly inspectContents: boolean;
  readonly paused: boolean;
}

/** Adds what is wrong to `faults`, each with file and line, and answers with nothing then. */
export function readDeclarations(text: string, file: string, environment: Environment, faults: string[]): Declarations {
  return readDocument(text, file, declarationsIn(environment), faults) ?? NOTHING;
}

const NOTHING: Declarations = {
  registries: [],
  sources: [],
  runtimes: [],
  deniedLabels: [],
  inspection: INSPECTION_LIMITS,
};

function declarationsIn(environment: Environment) {
  const secret = secretIn(environment);
  const credential = z
    .strictObject({
      username: z.string().min(1).optional(),
      password: secret.optional(),
      token: secret.optional(),
      'docker-config': z.literal(true).optional(),
      ambient: z.literal(true).optional(),
    })
    .transform((fields, context): DeclaredCredential => {
      const names = Object.keys(fields).sort().join(' ');
      if (names === 'password username') {
        return { kind: 'basic', username: fields.username ?? '', password: fields.password ?? '' };
      }
      if (names === 'token') return { kind: 'bearer', token: fields.token ?? '' };
      if (names === 'docker-config' || names === 'ambient') return { kind: names };
      const forms = 'username and password, or token, or docker-config: true, or ambient: true';
      context.addIssue({ code: 'custom', message: `write ${forms}.` });
      return z.NEVER;
    });

  const registry = z
    .strictObject({
      host: z.string().transform(parsedBy(parseRegistryHost)),
      kind: z.enum([...KINDS.keys()]).optional(),
      url: z.string().transform(parsedBy(parseAddress)).optional(),
      title: z.string().min(1).max(200).optional(),
      insecure: z.boolean().optional(),
      credential: credential.optional(),
      limits: z
        .strictObject({ concurrency: z.number().optional(), requestsPerSecond: z.number().optional() })
        .transform(({ concurrency = null, requestsPerSecond = null }) => ({ concurrency, requestsPerSecond }))
        .transform(parsedBy((limits) => (checkHostLimits(limits), limits)))
        .optional(),
      webhook: z.strictObject({ secret: secret.transform(parsedBy(parseWebhookSecret)) }).optional(),
    })
    .transform((fields): DeclaredRegistry => ({
      host: fields.host,
      kind: KINDS.get(fields.kind ?? '') ?? null,
      url: fields.url ?? null,
      title: fields.title ?? null,
      insecure: fields.insecure ?? null,
      credential: fields.credential ?? null,
      webhookSecret: fields.webhook?.secret ?? null,
      limits: fields.limits ?? { concurrency: null, requestsPerSecond: null },
    }));

  const source = z
    .strictObject({
      registry: z.string().transform(parsedBy(parseRegistryHost)),
      repositories: z.string().transform(parsedBy((text) => parseRepositorySelection(text).text)),
      tags: z
        .string()
        .transform(parsedBy((text) => parseTagSelection(text).text))
        .optional(),
      maxTags: z.int().min(1).optional(),
      newestBy: z.enum([...NEWEST_BY_NAMES.keys()]).optional(),
      platforms: z.array(z.string().transform(parsedBy((text) => (parsePlatform(text), text)))).optional(),
      schedule: z
        .string()
        .transform(parsedBy((text) => parseSchedule(text).text))
        .optional(),
      inspectContents: z.boolean().optional(),
      paused: z.boolean().optional(),
    })
    .transform((fields): DeclaredSource => ({
      registry: fields.registry,
      repositories: fields.repositories,
      tags: fields.tags ?? null,
      maxTags: fields.maxTags ?? null,
      newestBy: NEWEST_BY_NAMES.get(fields.newestBy ?? '') ?? 'VERSION',
      platforms: fields.platforms ?? [],
      schedule: fields.schedule ?? null,
      inspectContents: fields.inspectContents ?? false,
      paused: fields.paused ?? false,
    }));

  return z
    .strictObject({
      registries: z
        .array(registry)
        .superRefine(onceEach('host', ({ host }) => host))
        .default([]),
      sources: z
        .array(source)
        .superRefine(onceEach('source', (s) => `${s.registry}/${s.repositories}${s.tags === null ? '' : `:${s.tags}`}`))
        .default([]),
      runtimes: z
        .array(runtime)
        .superRefine(onceEach('runtime', ({ name }) => name))
        .default([]),
      containers: containers.default({ denyLabels: [] }),
      inspection: inspection.default(INSPECTION_LIMITS),
    })
    .transform(({ containers: { denyLabels: deniedLabels }, ...declared }): Declarations => ({
      ...declared,
      deniedLabels,
    }));
}

const KINDS = namesOf(REGISTRY_KINDS);
const NEWEST_BY_NAMES = namesOf(NEWEST_BY);

/** The name of an environment variable in, its value out. What stands in the file instead is never repeated. */
function secretIn(environment: Environment) {
  const advice =
    'a secret does not stand in this file: write {env: NAME}, where NAME is an environment variable that holds it.';
  return z
    .strictObject({ env: z.string({ error: advice }).min(1) }, { error: advice })
    .transform(({ env }, context) => {
      const value = environment[env];
      if (value) return value;
      context.addIssue({ code: 'custom', message: `the environment variable ${env} is not set.`, path: ['env'] });
      return z.NEVER;
    });
}

function parseAddress(text: string): URL {
  const url = URL.parse(text);
  const isKnown = url !== null && ['http:', 'https:', 'file:'].includes(url.protocol);
  if (!isKnown || url.username !== '' || url.password !== '') {
    throw new Error(
      `"${shownAddress(text)}" is not an address of a registry: write https://host, http://host:port, or file:///path of a layout, without a user.`,
    );
  }
  return url;
}
