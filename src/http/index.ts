/** The one outgoing client, and how answers are read that every server gives alike. */
export { openHttpClient, type HttpAnswer, type HttpClient, type HttpRequest, type HttpSettings } from './client.ts';
export { type AddressPolicy } from './address.ts';
export { parseChallenges, type Challenge } from './challenge.ts';
export { type Headers } from './exchange.ts';
export { type Gate, type GatedRequest, type Turn } from './gate.ts';
export { type HttpLimits } from './limits.ts';
export { type PaceStore } from './pace-store.ts';
export { nextLink, nextPage } from './link.ts';
export { openPacedGate, DEFAULT_HOST_LIMITS, type PacedGate } from './paced-gate.ts';
export { refuseTarget } from './redirect.ts';
export { retryAtOf } from './retry-after.ts';
