/** The one in the middle; of an even number, the mean of the two there. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

/** A line of the report. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** A table in Markdown: words to the left, numbers to the right. */
export function printTable(head: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const isNumeric = head.map((_, column) => rows.every((row) => typeof row[column] === 'number'));
  const texts = [head, ...rows].map((row) => row.map(cellText));
  const widths = head.map((_, column) => Math.max(3, ...texts.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${row.map((text, at) => (isNumeric[at] ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, at) => (isNumeric[at] ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  const [first = [], ...others] = texts;
  for (const row of [first, rule, ...others]) print(line(row));
  print('');
}

/** Three digits that mean something. */
function cellText(cell: string | number): string {
  if (typeof cell === 'string') return cell;
  if (Number.isNaN(cell)) return '-';
  return cell.toFixed(cell >= 100 ? 0 : cell >= 10 ? 1 : 2);
}
