import { GraphQLScalarType } from 'graphql';
import { CatalogError } from '../../domain/errors.ts';
import { shown } from './shown.ts';

/**
 * An instant. Out: RFC 3339 in UTC with milliseconds. In: RFC 3339, a date (its first moment in UTC), or epoch
 * milliseconds as a number or as digits, which is what dashboards send. Resolvers see a Date.
 */
export const DateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  parseValue: parseInstant,
  serialize(value) {
    if (value instanceof Date) return value.toISOString();
    throw new TypeError(`DateTime can't show ${shown(value)}: a resolver has to give a Date`);
  },
});

// https://www.rfc-editor.org/rfc/rfc3339#section-5.6, with the blank that its note allows in place of the T
const RFC_3339 = /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?([Zz]|[+-]\d{2}:\d{2}))?$/;

function parseInstant(value: unknown): Date {
  const instant = typeof value === 'string' ? fromText(value.trim()) : typeof value === 'number' ? value : NaN;
  const year = new Date(instant).getUTCFullYear();
  if (Number.isInteger(instant) && year >= 1 && year <= 9999) return new Date(instant);
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `${shown(value)} is not an instant: write RFC 3339 such as "2026-01-31T12:00:00Z", a date such as "2026-01-31", ` +
      'or milliseconds since 1970 such as 1769860800000.',
  );
}

function fromText(text: string): number {
  if (/^-?\d{1,16}$/.test(text)) return Number(text);
  const parts = RFC_3339.exec(text);
  if (!parts || !isCalendarDay(parts[1] ?? '')) return NaN;
  const [, day, time = '00:00:00', fraction = '', zone = 'Z'] = parts;
  return Date.parse(`${day}T${time}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
}

/** Date.parse takes February 30 for March 2. */
function isCalendarDay(day: string): boolean {
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
