/**
 * An instant as builders write it: RFC 3339, with any number of fractional digits and any offset. Null where it says
 * nothing: absent, unreadable, Go's zero time (year 1), or beyond what the catalog stores.
 */
export function parseTimestamp(value: unknown): Date | null {
  if (typeof value !== 'string' || value.length > 64) return null;
  if (!/^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}/.test(value)) return null;
  const withZone = /(Z|z|[+-]\d{2}:?\d{2})$/.test(value) ? value : `${value}Z`;
  const date = new Date(withZone.replace(/(\.\d{3})\d+/, '$1').replace(' ', 'T'));
  const year = date.getUTCFullYear();
  return Number.isNaN(year) || year <= 1 || year > 9999 ? null : date;
}
