/** A version of the Engine API: 1.41. */
export type ApiVersion = `${number}.${number}`;

/** The newest whose answers are known here. */
const NEWEST: ApiVersion = '1.54';

/**
 * The version to ask in: the newest that both know, or the engine's oldest where that is newer still. Null when the
 * engine did not say what it knows: it is then asked without a version, and answers in its newest.
 * https://docs.docker.com/reference/api/engine/#versioned-api-and-sdk
 */
export function chooseVersion(newest: unknown, oldest: unknown): ApiVersion | null {
  if (!isVersion(newest)) return null;
  const both = isBelow(newest, NEWEST) ? newest : NEWEST;
  return isVersion(oldest) && isBelow(both, oldest) ? oldest : both;
}

export function isBelow(version: ApiVersion, other: ApiVersion): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

function isVersion(value: unknown): value is ApiVersion {
  return typeof value === 'string' && /^\d{1,3}\.\d{1,3}$/.test(value);
}
