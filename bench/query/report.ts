import { median, print, printTable } from '../report.ts';
import { SIDES, type Side } from './questions.ts';

export interface Figures {
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Requests a second. */
  readonly rate: number;
  /** Processor time of a request in microseconds: the process that answers, and PostgreSQL. */
  readonly own: number;
  readonly database: number;
}

export interface Measured extends Figures {
  readonly scenario: string;
  readonly side: Side;
  /** Of the catalog. */
  readonly images: number;
  readonly round: number;
}

/** What each side did, and how the graph compares with the others. */
export function reportSides(measured: readonly Measured[]): void {
  const figures: readonly (keyof Figures)[] = ['p50', 'p99', 'rate', 'own', 'database'];
  const rows = scenariosOf(measured).flatMap((scenario) =>
    SIDES.map((side) => {
      const rounds = measured.filter((one) => one.scenario === scenario && one.side === side);
      return [scenario, TITLES[side], ...figures.map((figure) => median(rounds.map((one) => one[figure])))];
    }),
  );
  print('Medians of the rounds:\n');
  printTable(['', '', 'p50 ms', 'p99 ms', 'requests/s', 'CPU us/request', 'PostgreSQL us/request'], rows);

  const processor = ({ own, database }: Figures) => own + database;
  const ratios = scenariosOf(measured).map((scenario) => {
    const against = (side: Side, value: (figures: Figures) => number) =>
      ratio(
        measured.filter((one) => one.scenario === scenario && one.side === 'graph'),
        measured.filter((one) => one.scenario === scenario && one.side === side),
        value,
      );
    return [
      scenario,
      against('postgraphile', ({ rate }) => rate),
      against('sql', ({ rate }) => rate),
      against('postgraphile', processor),
      against('sql', processor),
    ];
  });
  print('Stowage, as a multiple of the others in the same round, processor time with that of PostgreSQL:\n');
  printTable(
    ['', "requests/s of PostGraphile's", "of the SQL's", "processor time of PostGraphile's", "of the SQL's"],
    ratios,
  );
}

/** How the time of an answer grows with the catalog, and with the depth of a page. */
export function reportGrowth(measured: readonly Measured[], fewer: number, more: number): void {
  const graph = measured.filter(({ side }) => side === 'graph');
  const rows = scenariosOf(measured).map((scenario) => {
    const [small, large] = [fewer, more].map((images) =>
      graph.filter((one) => one.scenario === scenario && one.images === images),
    ) as [Measured[], Measured[]];
    const p50 = (rounds: readonly Measured[]) => median(rounds.map((one) => one.p50));
    return [scenario, p50(small), p50(large), ratio(large, small, (one) => one.p50)];
  });
  print('Stowage, as the catalog grows:\n');
  const shown = (images: number) => `p50 ms at ${images.toLocaleString('en')} images`;
  printTable(['', shown(fewer), shown(more), 'times as long'], rows);
}

const TITLES: Record<Side, string> = { graph: 'Stowage', postgraphile: 'PostGraphile 5', sql: 'SQL' };

function scenariosOf(measured: readonly Measured[]): string[] {
  return [...new Set(measured.map(({ scenario }) => scenario))];
}

/** The median of the rounds' own: what disturbs a round disturbs both of its measurements. */
function ratio(these: readonly Measured[], others: readonly Measured[], value: (figures: Figures) => number): number {
  const ratios = these.flatMap((one) => {
    const other = others.find(({ round }) => round === one.round);
    return other === undefined ? [] : [value(one) / value(other)];
  });
  return median(ratios);
}
