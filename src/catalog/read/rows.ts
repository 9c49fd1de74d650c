/** Rows that belong to many parents, as each parent's list of records; the order of the rows stays. */
export function listsBy<K, R, T>(rows: readonly R[], keyOf: (row: R) => K, toRecord: (row: R) => T): Map<K, T[]> {
  const lists = new Map<K, T[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [toRecord(row)]);
    else list.push(toRecord(row));
  }
  return lists;
}
