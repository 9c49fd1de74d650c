import { RegistryError } from './errors.ts';
import { arrayOf, isObject, parseJsonObject, textOf, type Json, type JsonObject } from './json.ts';
import type { ArtifactManifest, Descriptor } from './manifest.ts';
import { foundPackage, inDistribution, type FoundPackage } from './package.ts';
import { parsePackageUrl } from './package-url.ts';

/**
 * The packages of a bill of materials: SPDX 2 or 3, or CycloneDX, as JSON, by itself or as what an in-toto statement
 * says. Each once, and only those of which it has the package URL, with a version, of a type that the catalog knows.
 * Throws MALFORMED where it is none of these, TOO_LARGE.
 *
 * https://spdx.github.io/spdx-spec/, https://cyclonedx.org/specification/overview/,
 * https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
 */
export function parseSbom(raw: Uint8Array): FoundPackage[] {
  const document = parseJsonObject(raw, 'the SBOM');
  const bill = isObject(document['predicate']) ? document['predicate'] : document;
  const packages = new Map<string, FoundPackage>();
  for (const { url, licenses } of listedIn(bill)) {
    const found = packageOf(url, licenses);
    if (found) packages.set(found.purl, packages.get(found.purl) ?? found);
  }
  return [...packages.values()];
}

/** The SBOMs that an artifact has, plain or as attestations of BuildKit, a few at most; none for most artifacts. */
export function sbomsOf({ blobs }: ArtifactManifest): Descriptor[] {
  return blobs.filter(isSbom).slice(0, MAX_SBOMS);
}

const MAX_SBOMS = 4;
const SBOM = /^(application\/spdx\+json|text\/spdx\+json|application\/vnd\.cyclonedx\+json)$/;
/** https://github.com/in-toto/attestation/tree/main/spec/predicates */
const SBOM_PREDICATE = /^https:\/\/(spdx\.dev\/Document|cyclonedx\.org\/bom)(\/|$)/;

function isSbom({ mediaType, annotations }: Descriptor): boolean {
  if (mediaType !== 'application/vnd.in-toto+json') return SBOM.test(mediaType);
  return SBOM_PREDICATE.test(annotations['in-toto.io/predicate-type'] ?? '');
}

const MAX_PACKAGES = 100_000;

interface Listed {
  readonly url: string | null;
  readonly licenses: readonly string[];
}

function listedIn(bill: JsonObject): Iterable<Listed> {
  if (bill['bomFormat'] === 'CycloneDX') return components(bill['components'], { left: MAX_PACKAGES });
  if (textOf(bill['spdxVersion'])) return arrayOf(bill['packages'], 'packages of the SBOM', MAX_PACKAGES).map(spdx2);
  const graph = bill['@graph'];
  if (textOf(bill['@context'])?.includes('spdx.org/rdf/3') && Array.isArray(graph)) {
    return arrayOf(graph.filter(isPackage), 'packages of the SBOM', MAX_PACKAGES).map(spdx3);
  }
  throw new RegistryError('MALFORMED', 'the SBOM is neither SPDX nor CycloneDX');
}

/** The distribution of the URL stays, all else that it may say, such as where the package was got from, does not. */
function packageOf(url: string | null, licenses: readonly string[]): FoundPackage | null {
  const parsed = url === null ? null : parsePackageUrl(url);
  const found = parsed && foundPackage({ ...parsed, licenses });
  return found && parsed?.namespace ? inDistribution(found, parsed.namespace) : found;
}

function spdx2(value: Json): Listed {
  const item = isObject(value) ? value : {};
  const references = objectsOf(item['externalRefs']);
  const reference = references.find(({ referenceType }) => referenceType === 'purl');
  const licenses = [textOf(item['licenseDeclared']), textOf(item['licenseConcluded'])].filter(isLicense);
  return { url: textOf(reference?.['referenceLocator']), licenses: licenses.slice(0, 1) };
}

/** https://spdx.github.io/spdx-spec/v2.3/package-information/#715-declared-license-field */
function isLicense(text: string | null): text is string {
  return text !== null && text !== 'NOASSERTION' && text !== 'NONE';
}

function isPackage(value: Json): boolean {
  return isObject(value) && value['type'] === 'software_Package';
}

/** Licences are relations to other elements there, and are left out. */
function spdx3(value: Json): Listed {
  const item = isObject(value) ? value : {};
  const identifiers = objectsOf(item['externalIdentifier']);
  const identifier = identifiers.find(({ externalIdentifierType }) => externalIdentifierType === 'packageUrl');
  return { url: textOf(item['software_packageUrl']) ?? textOf(identifier?.['identifier']), licenses: [] };
}

/** A component may be made of others. */
function* components(list: Json | undefined, budget: { left: number }): Generator<Listed> {
  for (const component of objectsOf(list)) {
    if (budget.left-- === 0) {
      throw new RegistryError('TOO_LARGE', `the SBOM has more than ${MAX_PACKAGES} components`);
    }
    yield { url: textOf(component['purl']), licenses: objectsOf(component['licenses']).flatMap(licenseOf) };
    yield* components(component['components'], budget);
  }
}

/** { expression }, or { license: { id } } with the name where SPDX knows none. */
function licenseOf({ expression, license }: JsonObject): string[] {
  const { id, name } = isObject(license) ? license : {};
  return [textOf(expression) ?? textOf(id) ?? textOf(name) ?? []].flat();
}

function objectsOf(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
