import { benchAnswers, type AnswersBench } from '../answers.ts';

/** Asks what dashboards ask of a large catalog. */
export function benchNumbers(bench: AnswersBench, serverUrl: string | undefined): Promise<void> {
  return benchAnswers(bench, QUESTIONS, [], serverUrl);
}

const METRICS = ['IMAGES', 'LAYERS', 'STORED_SIZE', 'TAGS', 'TAG_EVENTS'];
const BYS = ['REGISTRY', 'REPOSITORY', 'OS', 'ARCHITECTURE', 'MEDIA_TYPE'];
/** The generated catalog was seen from the beginning of 2025 on, a few months long. */
const RANGES = { month: 'from: "2025-02-01", to: "2025-03-01"', year: 'from: "2025-01-01", to: "2026-01-01"' };

const QUESTIONS: readonly string[] = [
  '{ statistics { images layers tags repositories nominalSize storedSize } }',
  '{ statistics(registry: "registry-1.example.com") { images layers tags nominalSize storedSize } }',
  ...METRICS.flatMap((metric) => BYS.map((by) => `{ breakdown(metric: ${metric}, by: ${by}) { key value } }`)),
  ...['REGISTRY', 'REPOSITORY', 'OS'].map((kind) => `{ options(kind: ${kind}) { text value } }`),
  '{ options(kind: REPOSITORY, text: "team-7") { text value } }',
  '{ annotations(from: "2025-02-01", to: "2025-03-01") { time title } }',
  ...Object.values(RANGES).flatMap((range) =>
    METRICS.map((metric) => `{ timeline(metric: ${metric}, ${range}, maxDataPoints: 100) { time value } }`),
  ),
  ...METRICS.flatMap((metric) =>
    BYS.map((by) => `{ timeline(metric: ${metric}, by: ${by}, ${RANGES.month}, interval: DAY) { time series value } }`),
  ),
];
