import type { FastifyInstance } from 'fastify';
import { referenceOf, type ReferenceMember, type ReferenceType } from '../graphql/index.ts';

/** /reference: the schema for people, every type, field and argument of it, with links between them and no script. */
export function serveReference(app: FastifyInstance, sdl: string): void {
  let page: string | null = null;
  app.get('/reference', (_, reply) => reply.type('text/html; charset=utf-8').send((page ??= pageOf(sdl))));
}

function pageOf(sdl: string): string {
  const reference = referenceOf(sdl);
  const contents = reference.map(
    ({ title, types }) => `<p><b>${title}</b> ${types.map(({ name }) => linkTo(name)).join(' ')}</p>`,
  );
  const sections = reference.map(({ title, types }) => `<h2>${title}</h2>\n${types.map(partOf).join('\n')}`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Stowage: reference of the schema</title>
<style>${STYLE}</style>
<h1>Reference of the schema</h1>
<p>The <a href="/graphql">graph</a> itself, and its <a href="/schema.graphql">schema as text</a>.</p>
<nav>${contents.join('\n')}</nav>
${sections.join('\n')}
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
nav a { margin-right: .4rem; }
h3 { margin-top: 2.5rem; font-family: ui-monospace, monospace; }
dt { font-family: ui-monospace, monospace; margin-top: .6rem; }
dd { margin-left: 1.5rem; }
.deprecated { text-decoration: line-through; }
`;

function partOf({ name, description, implemented, possible, specifiedBy, members }: ReferenceType): string {
  return [
    `<h3 id="${name}">${name}</h3>`,
    `<p>${textOf(description)}</p>`,
    implemented.length > 0 ? `<p>Implements ${implemented.map(linkTo).join(', ')}.</p>` : '',
    possible.length > 0 ? `<p>Is one of ${possible.map(linkTo).join(', ')}.</p>` : '',
    specifiedBy === null ? '' : `<p>Specified by ${textOf(specifiedBy)}.</p>`,
    listOf(members),
  ].join('');
}

function listOf(members: readonly ReferenceMember[]): string {
  return members.length === 0 ? '' : `<dl>${members.map(entryOf).join('')}</dl>`;
}

function entryOf({ name, type, description, defaultValue, deprecated, scope, arguments: taken }: ReferenceMember) {
  const typed = type === null ? '' : `: ${type.before}${linkTo(type.name)}${type.after}`;
  return [
    `<dt><span${deprecated === null ? '' : ' class="deprecated"'}>${name}</span>${typed}`,
    defaultValue === null ? '' : ` = ${textOf(defaultValue)}`,
    `</dt><dd>${textOf(description)}`,
    scope === null ? '' : ` Needs the scope ${scope}.`,
    deprecated === null ? '' : ` <strong>Deprecated:</strong> ${textOf(deprecated)}`,
    `${listOf(taken)}</dd>`,
  ].join('');
}

function linkTo(name: string): string {
  return `<a href="#${name}">${name}</a>`;
}

/** Escaped, with its addresses as links. */
function textOf(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replace(/https:\/\/[^\s<>"]*[^\s<>".,)]/g, '<a href="$&">$&</a>');
}
