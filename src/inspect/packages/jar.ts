import { basename } from 'node:path/posix';
import { RegistryError } from '../../domain/errors.ts';
import { MAX_DOCUMENT_BYTES } from '../document.ts';
import { stanzas } from './stanzas.ts';
import { zipEntries, type ZipEntry } from './zip.ts';

/** What a Java archive says of itself. */
export interface Jar {
  readonly fileName: string;
  /** The properties of each pom.properties. */
  readonly poms: readonly ReadonlyMap<string, string>[];
  /** The main section of the manifest. */
  readonly manifest: ReadonlyMap<string, string>;
}

/** How deep an archive may be in others: a library in a war in an ear, and one more. */
const MAX_DEPTH = 3;
/** Archives in a file, and the same of the properties in one archive. */
const MAX_JARS = 10_000;
/** All that is unpacked of a file, archives inside of it included, and the same of what it is unpacked from. */
const MAX_UNPACKED = 256 * 1024 * 1024;
const MAX_TEXT = 1024 * 1024;
/** What file systems take. */
const MAX_FILE_NAME = 255;

/**
 * The archive, and those inside of it. Throws MALFORMED where it is none itself, and TOO_LARGE where what is in it does
 * not end; what can't be read deeper inside is left out.
 */
export function jarsIn(path: string, bytes: Uint8Array): IteratorObject<Jar> {
  return walk(path, bytes, 0, { path, unpacked: 0, jars: 0 });
}

interface Budget {
  readonly path: string;
  unpacked: number;
  jars: number;
}

function* walk(path: string, bytes: Uint8Array, depth: number, budget: Budget): Generator<Jar> {
  if (++budget.jars > MAX_JARS) throw tooMany(budget.path);
  const poms: ReadonlyMap<string, string>[] = [];
  const inner: ZipEntry[] = [];
  let manifest: ReadonlyMap<string, string> = new Map();
  for (const entry of zipEntries(bytes, path)) {
    const isText = entry.size <= MAX_TEXT;
    const isInner = depth < MAX_DEPTH && entry.size <= MAX_DOCUMENT_BYTES && /\.(?:jar|war)$/.test(entry.name);
    if (isText && POM.test(entry.name)) poms.push(propertiesOf(unpack(entry, budget)));
    else if (isText && entry.name === MANIFEST) manifest = sectionOf(unpack(entry, budget));
    else if (isInner) inner.push(entry);
    if (poms.length > MAX_JARS || inner.length > MAX_JARS) throw tooMany(budget.path);
  }
  yield { fileName: basename(path).slice(-MAX_FILE_NAME), poms, manifest };
  for (const entry of inner) yield* readable(() => walk(entry.name, unpack(entry, budget), depth + 1, budget));
}

const POM = /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/;
const MANIFEST = 'META-INF/MANIFEST.MF';
const MANIFEST_FIELDS: ReadonlySet<string> = new Set([
  'Implementation-Vendor-Id',
  'Implementation-Version',
  'Bundle-Version',
  'Bundle-License',
  'Specification-Version',
]);

/** What can be read of it: an archive that is broken ends itself, and not what it is in. */
function* readable(open: () => Iterable<Jar>): Generator<Jar> {
  try {
    yield* open();
  } catch (error) {
    if (error instanceof RegistryError && error.code === 'TOO_LARGE') throw error;
  }
}

function tooMany(path: string): RegistryError {
  return new RegistryError('TOO_LARGE', `${path} holds more than ${MAX_JARS} archives`);
}

function unpack(entry: ZipEntry, budget: Budget): Uint8Array {
  budget.unpacked += Math.max(entry.size, entry.packedSize);
  if (budget.unpacked > MAX_UNPACKED) {
    throw new RegistryError('TOO_LARGE', `${budget.path} unpacks to more than ${MAX_UNPACKED} bytes`);
  }
  return entry.read();
}

/** https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Properties.html, as Maven writes them */
function propertiesOf(bytes: Uint8Array): ReadonlyMap<string, string> {
  const lines = new TextDecoder().decode(bytes).matchAll(/^(groupId|artifactId|version)[ \t]*[=:](.*)$/gm);
  return new Map([...lines].map(([, name = '', value = '']) => [name, value.trim()]));
}

/** Long values go on in the next lines, each of which begins with a space. */
function sectionOf(bytes: Uint8Array): ReadonlyMap<string, string> {
  const [main] = stanzas(bytes, MANIFEST_FIELDS);
  return new Map([...(main ?? [])].map(([name, [value = '']]) => [name, value.replaceAll('\n', '')]));
}
