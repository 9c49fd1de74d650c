import type { Connection } from '../database.ts';

/**
 * Takes so many bytes of what may be downloaded on the day (UTC) of an instant. False, and nothing taken, where that
 * would be more than `most`.
 */
export async function takeInspectionBytes(
  connection: Connection,
  at: Date,
  bytes: number,
  most: number,
): Promise<boolean> {
  const rows = await connection.run(
    `/* catalog.takeInspectionBytes */
     insert into inspection_day as d (day, bytes_read)
     select $1::date, $2::bigint where $2::bigint <= $3::bigint
     on conflict (day) do update set bytes_read = d.bytes_read + excluded.bytes_read
       where d.bytes_read + excluded.bytes_read <= $3::bigint
     returning day`,
    [dayOf(at), bytes, most],
  );
  return rows.length > 0;
}

/** Gives back what was taken on a day and not downloaded; less than nothing is taken beside it. */
export async function giveBackInspectionBytes(connection: Connection, at: Date, bytes: number): Promise<void> {
  await connection.run(
    `/* catalog.giveBackInspectionBytes */
     update inspection_day set bytes_read = bytes_read - $2::bigint where day = $1::date`,
    [dayOf(at), bytes],
  );
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}
