import { Tokenizer, TokenParser, TokenType } from '@streamparser/json';
import { isDigest, type Digest } from '../../domain/digest.ts';
import { RegistryError, messageOf } from '../../domain/errors.ts';
import { isTagName, type TagName } from '../../domain/reference.ts';
import { refuseStrangers } from '../answer.ts';
import { MAX_TAGS } from '../oci/listing.ts';
import type { ListedTag } from '../registry.ts';

/** What Artifact Registry answers when it is asked for tags. */
export interface TagPage {
  /** With their digests and the times of their uploads, where it says so. */
  readonly tags: readonly ListedTag[];
  /** Whether there is anything here, be it without a tag. */
  readonly hasManifests: boolean;
  /** Names that lie one level below. */
  readonly children: readonly string[];
}

/**
 * Reads the answer as it comes and keeps what is wanted of it, for all manifests of a repository stand in it:
 *
 *     {"name": "…", "child": ["…"], "tags": ["1.0"],
 *      "manifest": {"sha256:…": {"tag": ["1.0"], "timeUploadedMs": "1513378485105", "imageSizeBytes": "…", …}}}
 *
 * https://github.com/google/go-containerregistry/blob/main/pkg/v1/google/list.go
 */
export async function readTagPage(chunks: AsyncIterable<Uint8Array>, what: string): Promise<TagPage> {
  const draft = new Draft(what);
  const parser = new TokenParser({ paths: PATHS, keepStack: false });
  parser.onValue = ({ stack, key, value }) => draft.take([...stack.slice(1).map((level) => level.key), key], value);
  const tokenizer = new Tokenizer({ stringBufferSize: 64 * 1024 });
  let depth = 0;
  let isList = false;
  tokenizer.onToken = (token) => {
    if (OPENING.has(token.token)) depth++;
    else if (CLOSING.has(token.token)) depth--;
    else if (depth === 1 && token.value === 'tags') isList = true;
    if (depth > MAX_DEPTH) throw new RegistryError('MALFORMED', `${what} is JSON nested more than ${MAX_DEPTH} deep`);
    parser.write(token);
  };

  let length = 0;
  try {
    for await (const chunk of chunks) {
      if (length === 0) refuseStrangers(chunk, what);
      length += chunk.length;
      tokenizer.write(chunk);
    }
  } catch (error) {
    if (error instanceof RegistryError) throw error;
    throw new RegistryError('MALFORMED', `${what} is not JSON: ${messageOf(error)}`, { cause: error });
  }
  if (length === 0) refuseStrangers(new Uint8Array(), what);
  if (!parser.isEnded) throw new RegistryError('MALFORMED', `${what} is JSON that breaks off`);
  if (!isList) throw new RegistryError('MALFORMED', `${what} was answered with no list of tags`);
  return draft.page();
}

/** No path stands below another: what is below one that is wanted would be kept whole. */
const PATHS = ['$.tags.*', '$.child.*', '$.manifest.*.tag.*', '$.manifest.*.timeUploadedMs'];
const MAX_DEPTH = 64;
const MAX_CHILDREN = 50_000;
const OPENING = new Set<TokenType>([TokenType.LEFT_BRACE, TokenType.LEFT_BRACKET]);
const CLOSING = new Set<TokenType>([TokenType.RIGHT_BRACE, TokenType.RIGHT_BRACKET]);

/** Gathers in whatever order the members come. */
class Draft {
  readonly #what: string;
  readonly #names = new Set<TagName>();
  readonly #digests = new Map<TagName, Digest>();
  readonly #uploads = new Map<string, Date>();
  readonly #children = new Set<string>();

  constructor(what: string) {
    this.#what = what;
  }

  take(path: readonly (string | number | undefined)[], value: unknown): void {
    if (typeof value !== 'string') return;
    const [member, second] = path;
    if (member === 'child') this.#children.add(value);
    else if (member === 'tags') this.#takeName(value);
    else if (path.length === 4) this.#takeDigest(value, String(second));
    else this.#takeUpload(value, String(second));
    if (this.#names.size > MAX_TAGS)
      throw new RegistryError('TOO_LARGE', `${this.#what} has more than ${MAX_TAGS} tags`);
    if (this.#children.size > MAX_CHILDREN) {
      throw new RegistryError('TOO_LARGE', `${this.#what} has more than ${MAX_CHILDREN} repositories below`);
    }
  }

  page(): TagPage {
    const tags = [...this.#names].map((name): ListedTag => {
      const digest = this.#digests.get(name);
      const pushedAt = digest && this.#uploads.get(digest);
      return { name, ...(digest && { digest }), ...(pushedAt && { pushedAt }) };
    });
    return { tags, hasManifests: this.#uploads.size > 0, children: [...this.#children] };
  }

  #takeName(text: string): void {
    if (isTagName(text)) this.#names.add(text);
  }

  #takeDigest(text: string, digest: string): void {
    if (!isTagName(text) || !isDigest(digest)) return;
    this.#names.add(text);
    this.#digests.set(text, digest);
  }

  /** A whole number of milliseconds, in a string; 0 where it is not known. */
  #takeUpload(text: string, digest: string): void {
    const milliseconds = /^\d{1,15}$/.test(text) ? Number(text) : 0;
    if (milliseconds > 0) this.#uploads.set(digest, new Date(milliseconds));
  }
}
