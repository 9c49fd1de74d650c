import type { Database } from '../../src/catalog/database.ts';
import type { Digest } from '../../src/domain/digest.ts';
import type { RunnableImage } from './reports.ts';

/** Images with a tag, spread over the catalog. */
export async function runnableImages(database: Database, count: number): Promise<RunnableImage[]> {
  return database.run<RunnableImage & Record<string, unknown>>(
    `select digest_text(m.digest) as digest, digest_text(i.config_digest) as "configDigest",
       g.host || '/' || r.name || ':' || t.name as reference
     from tag t join manifest m on m.id = t.manifest_id join image i on i.manifest_id = m.id
     join repository r on r.id = t.repository_id join registry g on g.id = r.registry_id
     order by sha256(convert_to(t.id::text, 'UTF8')) limit $1`,
    [count],
  );
}

/** The image on whose stack most others stand. */
export async function busiestBase(database: Database): Promise<Digest> {
  const [row] = await database.run<{ digest: Digest }>(
    `select digest_text(m.digest) as digest
     from image i join manifest m on m.id = i.manifest_id
     join image_layer l on l.chain_id = i.top_chain_id and l.layer_id = (
       select top.layer_id from image_layer top where top.image_id = i.manifest_id order by top.position desc limit 1
     )
     group by m.id order by count(*) desc limit 1`,
    [],
  );
  if (row === undefined) throw new Error('no image stands on another');
  return row.digest;
}
