/** Whether people can be sent there: http or https, and nothing that a browser would run. */
export function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

/** An address, or what was meant as one, as an error may repeat it: without a user and password, and not at any length. */
export function shownAddress(text: string): string {
  return text.replace(/^([^/]*\/\/|)[^/]*@/, '$1').slice(0, 200);
}
