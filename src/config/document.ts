import { isMap, isNode, LineCounter, parseDocument, type Document } from 'yaml';
import type { z } from 'zod';
import { nearestName } from './faults.ts';

/** A YAML document as its schema has it. Null when there are faults; they are added with file, line and path. */
export function readDocument<T>(text: string, file: string, schema: z.ZodType<T>, faults: string[]): T | null {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeOf = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  if (document.errors.length > 0) {
    faults.push(...document.errors.map((error) => `${placeOf(error.pos[0])}: ${sentence(error.message)}`));
    return null;
  }

  const raw: unknown = document.toJS() ?? {};
  const result = schema.safeParse(raw);
  if (result.success) return result.data;
  const found = result.error.issues
    .flatMap((issue) => faultsOf(issue, raw, schema))
    .map((fault) => ({ ...fault, offset: offsetOf(document, fault.path) }))
    .sort((a, b) => a.offset - b.offset);
  for (const { path, message, offset } of found) {
    const name = formatPath(path);
    faults.push(`${placeOf(offset)}: ${name === '' ? '' : `${name}: `}${message}`);
  }
  return null;
}

type Path = readonly PropertyKey[];

function faultsOf(issue: z.core.$ZodIssue, raw: unknown, schema: z.ZodType): { path: Path; message: string }[] {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, issue.path);
    return issue.keys.map((key) => {
      const meant = nearestName(key, known);
      return {
        path: [...issue.path, key],
        message: `is not known; ${meant ? `did you mean ${meant}?` : `known here: ${known.join(', ')}.`}`,
      };
    });
  }
  return [{ path: issue.path, message: messageFor(issue, valueAt(raw, issue.path)) }];
}

function messageFor(issue: z.core.$ZodIssue, value: unknown): string {
  // The schema's own words: zod's all begin like this, and don't tell the value.
  if (!/^(Invalid|Too)/.test(issue.message)) return issue.message;
  if (value === undefined) return 'is missing.';
  const shown = JSON.stringify(value).slice(0, 200);
  switch (issue.code) {
    case 'invalid_type':
      return `${shown} is not ${KINDS[issue.expected] ?? issue.expected}.`;
    case 'invalid_value':
      return `${shown} is not one of ${issue.values.map(String).join(', ')}.`;
    case 'too_small':
      return `${shown} is too small: the least is ${String(issue.minimum)}${issue.origin === 'string' ? ' character' : ''}.`;
    case 'too_big':
      return `${shown} is too large: the most is ${String(issue.maximum)}${issue.origin === 'string' ? ' characters' : ''}.`;
    default:
      return `${shown}: ${issue.message}.`;
  }
}

const KINDS: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of names and values',
};

/** Where a path begins in the text. A name that is missing is told at what should have it. */
function offsetOf(document: Document, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const key = path[length - 1];
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => isNode(item.key) && item.key.toString() === key)
      : undefined;
    const node: unknown = pair ? pair.key : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    return text === '' ? String(key) : `${text}.${String(key)}`;
  }, '');
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

/** The names that a schema knows at a path, through optional values, defaults, lists and transforms. */
function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  const { def } = schema._zod as { def: SchemaParts };
  const inner = def.innerType ?? def.in;
  if (inner) return keysAt(inner, path);
  if (def.shape) {
    const [key, ...rest] = path;
    const next = key === undefined ? undefined : def.shape[String(key)];
    return next ? keysAt(next, rest) : Object.keys(def.shape);
  }
  return def.element ? keysAt(def.element, path.slice(1)) : [];
}

interface SchemaParts {
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly shape?: Record<string, z.core.$ZodType>;
  readonly element?: z.core.$ZodType;
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
