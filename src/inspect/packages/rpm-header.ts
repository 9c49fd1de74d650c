/** What the header of an installed package says. Texts are empty where it says nothing. */
export interface RpmHeader {
  readonly name: string;
  readonly epoch: number | null;
  readonly version: string;
  readonly release: string;
  readonly architecture: string;
  readonly license: string;
}

/**
 * Reads a header as a database holds it: the counts of its index and its data, the index, the data. Null where it is
 * none. https://rpm-software-management.github.io/rpm/manual/hregions.html
 */
export function readRpmHeader(bytes: Uint8Array): RpmHeader | null {
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (header.length < INTRO_SIZE) return null;
  const data = INTRO_SIZE + header.readUInt32BE(0) * ENTRY_SIZE;
  if (data + header.readUInt32BE(4) > header.length) return null;
  const places = placesOf(header, data);
  const text = (tag: number) => textAt(header, places.get(tag));
  const epoch = places.get(EPOCH);
  return {
    name: text(NAME),
    epoch: epoch === undefined || epoch + 4 > header.length ? null : header.readUInt32BE(epoch),
    version: text(VERSION),
    release: text(RELEASE),
    architecture: text(ARCHITECTURE),
    license: text(LICENSE),
  };
}

const INTRO_SIZE = 8;
const ENTRY_SIZE = 16;
const INT32 = 4;
const STRING = 6;
const TRANSLATED_STRING = 9;

const NAME = 1000;
const VERSION = 1001;
const RELEASE = 1002;
const EPOCH = 1003;
const LICENSE = 1014;
const ARCHITECTURE = 1022;

const TEXTS: ReadonlySet<number> = new Set([NAME, VERSION, RELEASE, LICENSE, ARCHITECTURE]);

/** Where the values of the tags above begin. */
function placesOf(header: Buffer, data: number): ReadonlyMap<number, number> {
  const places = new Map<number, number>();
  for (let at = INTRO_SIZE; at < data; at += ENTRY_SIZE) {
    const tag = header.readUInt32BE(at);
    if (isOfItsType(tag, header.readUInt32BE(at + 4))) places.set(tag, data + header.readUInt32BE(at + 8));
  }
  return places;
}

function isOfItsType(tag: number, type: number): boolean {
  return tag === EPOCH ? type === INT32 : TEXTS.has(tag) && (type === STRING || type === TRANSLATED_STRING);
}

/** Up to its zero. What is longer than any of these texts is cut. */
function textAt(header: Buffer, start: number | undefined): string {
  if (start === undefined) return '';
  const rest = header.subarray(start, start + 4096);
  const end = rest.indexOf(0);
  return rest.toString('utf8', 0, end < 0 ? rest.length : end);
}
