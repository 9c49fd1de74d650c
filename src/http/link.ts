import { RegistryError } from '../domain/errors.ts';

/**
 * The address of the next page, resolved against that of this one; null where there is none. A link that leaves the
 * origin is refused (REFUSED_ADDRESS), one to the page just read would never end (MALFORMED).
 * https://www.rfc-editor.org/rfc/rfc8288
 */
export function nextLink(header: string | string[] | undefined, page: string): string | null {
  if (header === undefined) return null;
  const text = Array.isArray(header) ? header.join(', ') : header;
  for (const [, target = '', parameters = ''] of text.slice(0, MAX_LENGTH).matchAll(LINK)) {
    if (isNext(parameters)) return nextPage(target, page);
  }
  return null;
}

/** As `nextLink`, of an address that stands anywhere in the page. */
export function nextPage(target: string, page: string): string | null {
  if (!URL.canParse(target, page)) return null;
  const next = new URL(target, page);
  const current = new URL(page);
  if (next.origin !== current.origin) {
    throw new RegistryError(
      'REFUSED_ADDRESS',
      `the next page is said to be at ${next.origin}, not at ${current.origin}`,
    );
  }
  if (next.href === current.href) throw new RegistryError('MALFORMED', 'the next page is said to be the page itself');
  return next.href;
}

const MAX_LENGTH = 8 * 1024;
/** A target may hold commas, so it ends at its bracket; a parameter's value may be quoted or not. */
const LINK = /<([^>]*)>((?:\s*;\s*[\w!#$%&'*+.^`|~-]+\s*(?:=\s*(?:"(?:[^"\\]|\\.)*"|[^\s,;"]*))?)*)/g;
const RELATION = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s,;"]*))/i;

function isNext(parameters: string): boolean {
  const found = RELATION.exec(parameters);
  const relations = (found?.[1] ?? found?.[2] ?? '').toLowerCase().split(/\s+/);
  return relations.includes('next');
}
