/**
 * Orders tag names by the version that they carry, newest last, for "the newest N": names that begin with a number (or
 * v and a number) beat the others, numbers compare as numbers, and a pre-release comes before its release.
 */
export function compareVersions(a: string, b: string): number {
  const left = tokensOf(a);
  const right = tokensOf(b);
  const hasNumber = Number(typeof left[0] === 'bigint') - Number(typeof right[0] === 'bigint');
  if (hasNumber !== 0) return hasNumber;
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const order = compareTokens(left[at], right[at]);
    if (order !== 0) return order;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

type Token = bigint | string;

function tokensOf(name: string): Token[] {
  const parts = name.replace(/^v(?=\d)/, '').match(/\d+|[A-Za-z]+/g) ?? [];
  return parts.map((part) => (/^\d/.test(part) ? BigInt(part) : part.toLowerCase()));
}

const PRE_RELEASE = /^(alpha|beta|rc|pre|preview|dev|nightly|snapshot|a|b|m)$/;

function compareTokens(a: Token | undefined, b: Token | undefined): number {
  const byRank = rankOf(a) - rankOf(b);
  if (byRank !== 0 || a === undefined || b === undefined) return byRank;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** 1.2-rc, 1.2, 1.2-alpine, 1.2.3: in this order, whatever the words are, so that the order has no cycle. */
function rankOf(token: Token | undefined): number {
  if (token === undefined) return 1;
  if (typeof token === 'bigint') return 3;
  return PRE_RELEASE.test(token) ? 0 : 2;
}
