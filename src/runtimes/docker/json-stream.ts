import { Tokenizer, TokenParser, TokenType } from '@streamparser/json';
import { messageOf } from '../../domain/errors.ts';
import { storable, type Json } from '../../domain/json.ts';
import { RuntimeFault } from '../runtime.ts';

/**
 * The entries of a JSON list as they come, or the values of a sequence that have nothing or any white space between
 * them. Rejects with MALFORMED for what is neither, and with TOO_LARGE for one that is longer than `maxLength` bytes.
 */
export async function* readJsonStream(
  chunks: AsyncIterable<Uint8Array>,
  shape: 'list' | 'sequence',
  maxLength: number,
  what: string,
): AsyncGenerator<Json> {
  const found: Json[] = [];
  let length = 0;
  const parser = new TokenParser(
    shape === 'list' ? { paths: ['$.*'], keepStack: false } : { paths: ['$'], keepStack: false, separator: '' },
  );
  parser.onValue = ({ value }) => {
    found.push(storable(value as Json));
    length = 0;
  };
  const tokenizer = new Tokenizer({ stringBufferSize: 64 * 1024 });
  let depth = 0;
  tokenizer.onToken = (token) => {
    if (depth === 0 && shape === 'list' && !LIST.has(token.token)) {
      throw new RuntimeFault('MALFORMED', `${what} was answered with no list.`);
    }
    if (OPENING.has(token.token)) depth++;
    else if (CLOSING.has(token.token)) depth--;
    if (depth > MAX_DEPTH) throw new RuntimeFault('MALFORMED', `${what} is JSON nested more than ${MAX_DEPTH} deep.`);
    parser.write(token);
  };
  for await (const chunk of chunks) {
    length += chunk.length;
    parse(() => tokenizer.write(chunk), what);
    yield* found.splice(0);
    if (length > maxLength) {
      throw new RuntimeFault('TOO_LARGE', `${what} has an entry of more than ${maxLength} bytes.`);
    }
  }
  if (shape === 'list' && !parser.isEnded) throw new RuntimeFault('MALFORMED', `${what} is JSON that breaks off.`);
}

const MAX_DEPTH = 64;
const OPENING = new Set<TokenType>([TokenType.LEFT_BRACE, TokenType.LEFT_BRACKET]);
const CLOSING = new Set<TokenType>([TokenType.RIGHT_BRACE, TokenType.RIGHT_BRACKET]);
/** Engines write an empty list as null, too. */
const LIST = new Set<TokenType>([TokenType.LEFT_BRACKET, TokenType.NULL]);

function parse(write: () => void, what: string): void {
  try {
    write();
  } catch (error) {
    if (error instanceof RuntimeFault) throw error;
    throw new RuntimeFault('MALFORMED', `${what} is not JSON: ${messageOf(error)}`, { cause: error });
  }
}
