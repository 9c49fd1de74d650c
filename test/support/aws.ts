import type { Entry } from './scripted-server.ts';

/** A call of the API of AWS, as its SDK sends it, signed with the access key. */
export function awsCall(target: string, input: object, answer: Partial<Entry>): Entry {
  return {
    request: 'POST /',
    when: { 'x-amz-target': target },
    having: { 'content-type': 'application/x-amz-json-1.1', authorization: SIGNED },
    sending: input,
    ...answer,
  };
}

/** How AWS refuses. */
export function awsFault(type: string, status = 400): Partial<Entry> {
  return { status, body: { __type: type, message: `${type}, in the words of AWS` } };
}

export const ACCESS_KEY = { kind: 'basic', username: 'AKIAEXAMPLE', password: 'its-secret-key' } as const;
export const SIGNED = /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d{8}\/[a-z0-9-]+\/[a-z-]+\/aws4_request, /;
