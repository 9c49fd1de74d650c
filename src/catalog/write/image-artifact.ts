import type { Connection } from '../database.ts';
import { digestBytes, type Digest } from '../../domain/digest.ts';
import { BY_KEY } from './by-key.ts';
import type { RepositoryPlace } from './repository.ts';

/** Something that refers to an image of which it is not known what it holds. */
export interface ImageArtifact {
  readonly imageId: number;
  readonly digest: Digest;
  readonly raw: Uint8Array;
  readonly mediaType: string;
}

/** What the repository has of such about images that these manifests reach, a thousand at most, those first that came first. */
export async function artifactsOfUnknownImages(
  connection: Connection,
  { registryId, name }: RepositoryPlace,
  digests: readonly Digest[],
): Promise<ImageArtifact[]> {
  return connection.run<ImageArtifact>(
    `/* catalog.artifactsOfUnknownImages */
     with recursive reached (id) as (
       select id from manifest where digest = any($3::bytea[])
       union
       select x.child_id from reached join index_entry x on x.index_id = reached.id where x.child_id is not null
     )
     select i.manifest_id as "imageId", digest_text(a.digest) as digest, a.raw, a.media_type as "mediaType"
     from reached join image i on i.manifest_id = reached.id join manifest m on m.id = i.manifest_id
     join manifest a on a.subject = m.digest and a.kind = 'ARTIFACT'
     join repository r on r.registry_id = $1::int and r.name = $2
     where not exists (select from image_contents c where c.image_id = i.manifest_id ${BY_KEY})
       and exists (
         select from repository_manifest rm
         where rm.repository_id = r.id and rm.manifest_id = a.id and rm.gone_at is null ${BY_KEY}
       )
     order by a.id limit 1000`,
    [registryId, name, digests.map(digestBytes)],
  );
}
