import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import pg from 'pg';

/**
 * Hands `work` Prisma's own schema engine as WebAssembly, so that migrating needs no engine download. Its package is
 * made for bundlers; the module is instantiated by hand here.
 */
export async function withSchemaEngine<T>(databaseUrl: string, work: (engine: SchemaEngine) => Promise<T>): Promise<T> {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const glue = (await import(pathToFileURL(join(folder, 'schema_engine_bg.js')).href)) as EngineGlue;
  (globalThis as { PRISMA_WASM_PANIC_REGISTRY?: unknown }).PRISMA_WASM_PANIC_REGISTRY = { set_message: ignore };

  const wasm = new WebAssembly.Module(await readFile(join(folder, 'schema_engine_bg.wasm')));
  const { exports } = new WebAssembly.Instance(wasm, { './schema_engine_bg.js': withoutTimers(glue) });
  glue.__wbg_set_wasm(exports);
  (exports as { __wbindgen_start?: () => void }).__wbindgen_start?.();

  // The engine does not close its connections when it is freed.
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  try {
    const factory = bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool));
    const engine = await glue.SchemaEngine.new({ datamodels: undefined }, ignore, factory);
    return await work(engine);
  } finally {
    await pool.end();
  }
}

function ignore(): void {}

/**
 * The engine sets an alarm of ten seconds on its lock and never takes it back, which would keep the process alive that
 * long after its work.
 */
function withoutTimers(glue: EngineGlue): Record<string, unknown> {
  const timers = Object.keys(glue).filter((name) => name.startsWith('__wbg_setTimeout_'));
  const unheld = (callback: () => void, milliseconds: number) => setTimeout(callback, milliseconds >>> 0).unref();
  return { ...glue, ...Object.fromEntries(timers.map((name) => [name, unheld])) };
}

/** The adapter cuts a script at every semicolon, those in function bodies and comments too; PostgreSQL needs no cuts. */
class WholeScripts extends PrismaPg {
  override async connect() {
    const connection = await super.connect();
    connection.executeScript = async (script) => void (await connection.underlyingDriver().query(script));
    return connection;
  }
}

/** The part of the global that is used here; TypeScript declares it with the browser's types only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: Record<string, object>) => { exports: object };
};

type EngineGlue = {
  __wbg_set_wasm(exports: object): void;
  SchemaEngine: typeof SchemaEngine;
};
