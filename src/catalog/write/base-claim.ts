import type { Connection } from '../database.ts';
import type { BaseClaim } from '../../domain/base-claim.ts';
import { digestBytes } from '../../domain/digest.ts';

/** Records what is said of the bases of images. What was said before is not said twice. */
export async function recordBaseClaims(connection: Connection, claims: readonly BaseClaim[]): Promise<void> {
  if (claims.length === 0) return;
  const sorted = claims.toSorted((a, b) => (a.image < b.image ? -1 : 1));
  await connection.run(
    `/* catalog.insertBaseClaims */
     insert into base_claim (image, evidence, digest, host, repository, tag)
     select n.image, n.evidence, n.digest, n.host, n.repository, n.tag
     from unnest($1::bytea[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[])
       with ordinality as n(image, evidence, digest, host, repository, tag, place)
     order by n.place
     on conflict do nothing`,
    [
      sorted.map((claim) => digestBytes(claim.image)),
      sorted.map((claim) => claim.evidence),
      sorted.map((claim) => (claim.digest === null ? NONE : digestBytes(claim.digest))),
      sorted.map((claim) => claim.name?.host ?? ''),
      sorted.map((claim) => claim.name?.repository ?? ''),
      sorted.map((claim) => claim.name?.tag ?? ''),
    ],
  );
}

/**
 * Of manifests that are about to be deleted: what was said of an image goes with it. What an attestation said stays
 * while anything about the image is here, for an attestation is not read again.
 */
export async function forgetBaseClaims(connection: Connection, manifestIds: readonly number[]): Promise<void> {
  await connection.run(
    `/* catalog.forgetBaseClaims */
     delete from base_claim q using manifest m
     where m.id = any($1::int[]) and q.image in (m.digest, m.subject)
       and not exists (select from manifest o where o.digest = q.image and o.id <> all($1::int[]))
       and (q.evidence = 'ANNOTATION'
         or not exists (select from manifest o where o.subject = q.image and o.id <> all($1::int[])))`,
    [manifestIds],
  );
}

const NONE = Buffer.alloc(0);
