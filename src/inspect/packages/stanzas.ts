/** Fields of a stanza by their names, each with its values in their order. */
export type Stanza = ReadonlyMap<string, readonly string[]>;

/**
 * Reads paragraphs of `Name: value` lines, as package managers write them: a line that begins with a space belongs to
 * the one before it, after a line feed here. Fields that are not wanted are skipped, so that what is held is little.
 */
export function* stanzas(bytes: Uint8Array, wanted: ReadonlySet<string>): Generator<Stanza> {
  let stanza: Map<string, string[]> | null = null;
  let open: string[] | undefined;
  for (const line of lines(new TextDecoder().decode(bytes))) {
    if (line === '') {
      if (stanza) yield stanza;
      stanza = null;
      open = undefined;
    } else if (line.startsWith(' ') || line.startsWith('\t')) {
      const last = (open?.length ?? 0) - 1;
      const value = open?.[last];
      if (open && value !== undefined && value.length < MAX_VALUE) open[last] = `${value}\n${line.slice(1, MAX_VALUE)}`;
    } else {
      stanza ??= new Map();
      open = addField(stanza, line, wanted);
    }
  }
  if (stanza) yield stanza;
}

/** The first value of a field; empty where there is none. */
export function fieldOf(stanza: Stanza | undefined, name: string): string {
  return stanza?.get(name)?.[0] ?? '';
}

const MAX_VALUE = 4096;
const MAX_VALUES = 100;

function addField(stanza: Map<string, string[]>, line: string, wanted: ReadonlySet<string>): string[] | undefined {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  if (!wanted.has(name)) return undefined;
  const values = stanza.get(name) ?? [];
  if (values.length === MAX_VALUES) return undefined;
  values.push(line.slice(colon + 1, colon + 1 + MAX_VALUE).trim());
  stanza.set(name, values);
  return values;
}

function* lines(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf('\n', start);
    const end = feed < 0 ? text.length : feed;
    yield text.slice(start, text[end - 1] === '\r' ? end - 1 : end);
    start = end + 1;
  }
}
