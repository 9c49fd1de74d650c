/** Bytes of a request, or of a message on a socket. */
export const MAX_BODY = 1024 * 1024;

/** WebSockets, and streams of events: so many each. An idle one is about 20 KB of the process. */
export const MAX_CONNECTIONS = 5_000;

export const NO_ROOM = 'There are as many connections as the server can have: try again later.';

/** Bytes of a request from those who may change something. */
export const MAX_TRUSTED_BODY = 16 * 1024 * 1024;
