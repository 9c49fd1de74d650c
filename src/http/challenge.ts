/** One way to sign in, as a 401 offers it. What it does not name is null. */
export interface Challenge {
  /** Lower-case: bearer, basic, negotiate. */
  readonly scheme: string;
  readonly realm: string | null;
  readonly service: string | null;
  readonly scope: readonly string[];
  readonly error: string | null;
}

/**
 * Reads WWW-Authenticate: several header lines, several challenges in a line, quoted and bare values, a last quote
 * that is missing. What can't be read is skipped. https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const lines = typeof header === 'string' ? [header] : (header ?? []);
  return lines.flatMap((line) => readLine(line.slice(0, MAX_LENGTH)));
}

const MAX_LENGTH = 8 * 1024;

interface Draft {
  scheme: string;
  parameters: Map<string, string[]>;
}

/** `name =` is a parameter of the challenge before it; a word without `=` begins a challenge. */
const TOKEN = /[\s,]*([^\s,="]+)(\s*=\s*(?:"((?:[^"\\]|\\.)*)(?:"|\\?$)|([^\s,"]*)))?/y;

function readLine(line: string): Challenge[] {
  const drafts: Draft[] = [];
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(line); found !== null; found = TOKEN.exec(line)) {
    const [, word = '', assignment, quoted, bare] = found;
    if (assignment === undefined) {
      drafts.push({ scheme: word.toLowerCase(), parameters: new Map() });
      continue;
    }
    const value = quoted === undefined ? (bare ?? '') : quoted.replace(/\\(.)/g, '$1');
    const parameters = drafts.at(-1)?.parameters;
    const name = word.toLowerCase();
    parameters?.set(name, [...(parameters.get(name) ?? []), value]);
  }
  return drafts.map(challengeOf);
}

function challengeOf({ scheme, parameters }: Draft): Challenge {
  const one = (name: string) => parameters.get(name)?.[0] ?? null;
  const scopes = (parameters.get('scope') ?? []).flatMap((text) => text.split(/\s+/).filter((scope) => scope !== ''));
  return { scheme, realm: one('realm'), service: one('service'), scope: scopes, error: one('error') };
}
