/** Whether people can be sent there: http or https, and nothing that a browser would run. */
export function isWebAddress(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}
