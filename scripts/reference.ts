import { referenceOf, type ReferenceMember, type ReferenceType } from '../src/graphql/reference.ts';

/** The reference of a schema as Markdown. */
export function referenceText(sdl: string): string {
  const reference = referenceOf(sdl);
  return [
    '# Reference of the schema',
    'Generated from `schema.graphql` by `npm run generate`. [api.md](api.md) tells what holds for all of it: errors, limits, deprecation.',
    reference.map(({ title, types }) => `- ${title}: ${types.map(({ name }) => linkTo(name)).join(', ')}`).join('\n'),
    ...reference.flatMap(({ title, types }) => [`## ${title}`, ...types.flatMap(partsOf)]),
    '',
  ].join('\n\n');
}

function partsOf({ name, description, implemented, possible, specifiedBy, members }: ReferenceType): string[] {
  return [
    `### ${name}`,
    escaped(description),
    implemented.length > 0 ? `Implements ${implemented.map(linkTo).join(', ')}.` : '',
    possible.length > 0 ? `Is one of ${possible.map(linkTo).join(', ')}.` : '',
    specifiedBy === null ? '' : `Specified by <${specifiedBy}>.`,
    members.map((member) => lineOf(member, '')).join('\n'),
  ].filter((part) => part !== '');
}

function lineOf(member: ReferenceMember, indent: string): string {
  const { type, defaultValue, deprecated, scope } = member;
  const typed = type === null ? '' : ` ${escaped(type.before)}${linkTo(type.name)}${escaped(type.after)}`;
  const facts = [
    defaultValue === null ? '' : ` Default: \`${defaultValue}\`.`,
    scope === null ? '' : ` Needs the scope \`${scope}\`.`,
    deprecated === null ? '' : ` **Deprecated:** ${escaped(deprecated)}`,
  ].join('');
  const line = `${indent}- \`${member.name}\`${typed}: ${escaped(member.description)}${facts}`;
  return [line, ...member.arguments.map((each) => lineOf(each, `${indent}  `))].join('\n');
}

function linkTo(name: string): string {
  return `[${name}](#${name.toLowerCase()})`;
}

/** So that * and its like stand for themselves. */
function escaped(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*<>[\]]/g, '\\$&');
}
