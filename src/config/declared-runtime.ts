import { resolve } from 'node:path';
import { z } from 'zod';
import { RUNTIME_KINDS, type RuntimeKindName } from '../domain/container.ts';
import { parsePattern } from '../domain/pattern.ts';
import { parseRuntimeName } from '../domain/runtime-name.ts';
import { namesOf, parsedBy } from './schema.ts';

/** Where containers run, and how the worker reaches it. */
export interface DeclaredRuntime {
  readonly name: string;
  readonly kind: RuntimeKindName;
  readonly endpoint: string;
  /** Files, absolute; null takes those of DOCKER_CERT_PATH. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string } | null;
  /** tcp:// without TLS. */
  readonly insecure: boolean;
  /** Of a cluster; empty means all. */
  readonly namespaces: readonly string[];
}

const KINDS = namesOf(RUNTIME_KINDS);
const path = z
  .string()
  .min(1)
  .transform((text) => resolve(text));

export const runtime = z
  .strictObject({
    name: z.string().transform(parsedBy(parseRuntimeName)),
    kind: z.enum([...KINDS.keys()]),
    endpoint: z.string().min(1),
    tls: z.strictObject({ ca: path, cert: path, key: path }).optional(),
    insecure: z.boolean().optional(),
    namespaces: z.array(z.string().min(1)).optional(),
  })
  .transform(({ kind, tls = null, insecure = false, namespaces = [], ...rest }): DeclaredRuntime => ({
    ...rest,
    kind: KINDS.get(kind) ?? 'DOCKER',
    tls,
    insecure,
    namespaces,
  }));

/** What is kept of containers. */
export const containers = z.strictObject({
  denyLabels: z.array(z.string().transform(parsedBy((text) => parsePattern(text, 'label').text))).default([]),
});
