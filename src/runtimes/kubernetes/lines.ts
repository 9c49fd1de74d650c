import { RuntimeFault } from '../runtime.ts';

/** The lines of a stream, without blank ones, and without a last one that was cut off. A longer one is TOO_LARGE. */
export async function* linesOf(chunks: AsyncIterable<Buffer>, maxBytes: number, what: string): AsyncIterable<Buffer> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const line = Buffer.concat([...parts, chunk.subarray(start, end)]);
      if (line.length > maxBytes) throw tooLong(maxBytes, what);
      if (line.length > 0) yield line;
      parts = [];
      size = 0;
      start = end + 1;
    }
    parts.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > maxBytes) throw tooLong(maxBytes, what);
  }
}

const LINE_FEED = 0x0a;

function tooLong(maxBytes: number, what: string): RuntimeFault {
  return new RuntimeFault('TOO_LARGE', `${what} was answered with a line of more than ${maxBytes} bytes.`);
}
