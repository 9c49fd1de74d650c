/**
 * What a row of the catalog refers to, and which is there because of it. It is missing only when it was removed while
 * the request was being answered.
 */
export async function existing<T>(loading: Promise<T | null>): Promise<T> {
  const found = await loading;
  if (found === null) throw new Error('a row was removed while it was read');
  return found;
}
