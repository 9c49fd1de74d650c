import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { applyDeclarations } from '../../src/bin/declaration.ts';
import { createSeal, findRegistry } from '../../src/catalog/write/index.ts';
import { readConfig } from '../../src/config/index.ts';
import { parseRegistryHost } from '../../src/domain/reference.ts';
import { prepareQueue } from '../../src/queue/index.ts';
import { createTestDatabase } from '../support/database.ts';
import { startScriptedServer } from '../support/scripted-server.ts';

test('a declared registry is of the kind that it says; while it says nothing, of the one that it was', async () => {
  const challenge = 'Bearer realm="https://x.example.com/service/token",service="harbor-registry"';
  const harbor = await startScriptedServer({
    request: 'GET /v2/',
    status: 401,
    headers: { 'www-authenticate': challenge },
    times: 2,
  });
  const database = await createTestDatabase();
  const folder = mkdtempSync(join(tmpdir(), 'stowage-declaration-'));
  const lines: string[] = [];
  const log = pino(new Writable({ write: (chunk: Buffer, _, done) => done(void lines.push(chunk.toString())) }));
  const host = parseRegistryHost(harbor.url.host);
  const apply = async (yaml: string) => {
    writeFileSync(join(folder, 'stowage.yaml'), yaml);
    await applyDeclarations(readConfig({}, folder), database, createSeal(Buffer.alloc(32, 1)), log);
    return (await findRegistry(database, { host }))?.kind;
  };
  try {
    await prepareQueue(database);
    const declared = `registries: [{ host: "${host}" }]\n`;
    expect(await apply(declared)).toBe('HARBOR');
    expect(await apply(`sources: [{ registry: "${host}", repositories: a/b }]\n`)).toBe('HARBOR');
    harbor.verify();
    expect(lines).toEqual([]);

    await harbor.close();
    expect(await apply(declared)).toBe('HARBOR');
    expect(lines.join()).toContain(`What kind of registry is at http://${host}/ could not be found out`);
    expect(await apply(`registries: [{ host: "${host}", kind: zot }]\n`)).toBe('ZOT');
    expect(lines).toHaveLength(1);
  } finally {
    rmSync(folder, { recursive: true });
    await database.close();
  }
});
