import type { Database } from '../catalog/database.ts';
import { notify } from '../catalog/events.ts';
import * as catalog from '../catalog/write/index.ts';
import type { RuntimeKindName } from '../domain/container.ts';
import { parseRuntimeName } from '../domain/runtime-name.ts';
import { checkRuntime } from '../runtimes/index.ts';
import type { RuntimeSettings } from '../runtimes/runtime.ts';
import { invalid, notFound, read, type UserError } from './user-error.ts';

export interface AddRuntimeInput {
  readonly name: string;
  readonly kind: RuntimeKindName;
  readonly endpoint: string;
  /** Files on the worker's machine. */
  readonly tls?: RuntimeSettings['tls'];
  readonly insecure?: boolean | null;
  readonly namespaces?: readonly string[] | null;
}

export interface RuntimeOutcome {
  readonly runtimeId: number | null;
  readonly userErrors: UserError[];
}

export interface RuntimeCommands {
  addRuntime(input: AddRuntimeInput): Promise<RuntimeOutcome>;
  removeRuntime(input: { id: number }): Promise<{ removedId: number | null; userErrors: UserError[] }>;
}

export function createRuntimeCommands(database: Database): RuntimeCommands {
  return {
    async addRuntime({ kind, endpoint, tls, insecure, namespaces, ...input }) {
      const errors: UserError[] = [];
      const name = read(errors, 'name', () => parseRuntimeName(input.name));
      const settings = { endpoint, tls: tls ?? null, insecure: insecure ?? false, namespaces: namespaces ?? [] };
      read(errors, 'endpoint', () => checkRuntime(kind, settings));
      if (errors.length > 0 || name === undefined) return { runtimeId: null, userErrors: errors };
      const runtimeId = await catalog.addRuntime(database, { name, kind, managedBy: 'API', settings });
      if (runtimeId === null) {
        const error = invalid('name', `The catalog follows a runtime "${name}" already; remove it first.`);
        return { runtimeId, userErrors: [error] };
      }
      await notify(database, 'stowage_runtime_changed', runtimeId);
      return { runtimeId, userErrors: [] };
    },

    async removeRuntime({ id }) {
      const refuse = (error: UserError) => ({ removedId: null, userErrors: [error] });
      const stored = await catalog.findRuntime(database, { id });
      if (stored === null) return refuse(notFound('id', 'There is no such runtime.'));
      if (stored.managedBy === 'CONFIG') {
        return refuse(invalid('id', `"${stored.name}" is kept by the configuration file; change it there.`));
      }
      await database.transaction((connection) => catalog.removeRuntime(connection, id));
      await notify(database, 'stowage_runtime_changed', id);
      return { removedId: id, userErrors: [] };
    },
  };
}
