import type { RuntimeKindName } from '../domain/container.ts';
import { CatalogError } from '../domain/errors.ts';
import { docker } from './docker/index.ts';
import { kubernetes } from './kubernetes/index.ts';
import { podman } from './podman/index.ts';
import type { OpenRuntime, RuntimeKind, RuntimeSettings } from './runtime.ts';

export { tlsFilesIn } from './docker/transport.ts';

/** Every kind of runtime that there is. A new one is a folder and a line here. */
const runtimeKinds: readonly RuntimeKind[] = [docker, podman, kubernetes];

/** Opens a runtime without reaching it yet; close it afterwards. Rejects with INVALID_ARGUMENT as `checkRuntime` throws. */
export async function openRuntime(kind: RuntimeKindName, settings: RuntimeSettings): Promise<OpenRuntime> {
  checkRuntime(kind, settings);
  return kindOf(kind).open(settings);
}

/** Throws INVALID_ARGUMENT for an endpoint that can't be one of this kind, or settings that don't go with it. */
export function checkRuntime(kind: RuntimeKindName, settings: RuntimeSettings): void {
  kindOf(kind).check(settings);
}

function kindOf(kind: RuntimeKindName): RuntimeKind {
  const found = runtimeKinds.find((known) => known.kind === kind);
  if (found) return found;
  const kinds = runtimeKinds.map((known) => known.kind).join(', ');
  throw new CatalogError('INVALID_ARGUMENT', `"${String(kind)}" is no kind of runtime: write one of ${kinds}.`);
}
