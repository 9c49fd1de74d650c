const files = import.meta.glob<string>('./examples/*.graphql', { query: '?raw', import: 'default', eager: true });

/** The tabs of a first visit, in the order of their file names. A tab's title is the name of its operation. */
export const EXAMPLES = Object.entries(files)
  .sort(([a], [b]) => a.localeCompare(b))
  .map(([, query]) => ({ query }));
