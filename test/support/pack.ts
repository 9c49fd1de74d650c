/** Numbers in a row, each of as many bytes as the digit at its place says; least byte first unless `isBig`. */
export function pack(sizes: string, values: readonly number[], isBig = false): Buffer {
  const parts = values.map((value, place) => {
    const size = Number(sizes[place]);
    const bytes = Array.from({ length: size }, (_, at) => Math.floor(value / 256 ** at) % 256);
    return Buffer.from(isBig ? bytes.reverse() : bytes);
  });
  return Buffer.concat(parts);
}
