/**
 * The advisory locks of the catalog's database, in one place so that each number means one thing. Those with a second key
 * are a space of their own. https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
 */
export const LOCKS = {
  /** Held while migrations are applied. */
  migration: 7869243,
  /** Shared by whoever records content, held alone by who deletes some: docs/adr/0013-what-a-deletion-takes.md. */
  content: 7869244,
  /** Held while what the configuration declares is applied. */
  configuration: 7869245,
} as const;

/** First keys of locks of two keys. */
export const LOCK_SPACES = {
  /** Second key: hash of a worker's name. Held while it lives: docs/adr/0007-workers-know-each-other-by-locks.md. */
  worker: 7869001,
  /** Second key: hash of a registry's id and a repository's name. Held while a worker looks at it. */
  repository: 7869002,
  /** Second key: 0. Held by who changes the kept numbers: docs/adr/0012-numbers-are-kept.md. */
  counts: 7869003,
  /** Second key: 0. Taken by the trigger that orders events: docs/adr/0014-events-in-the-order-of-commits.md. */
  events: 7869004,
  /** Second key: 0. Held by who writes containers, and so by who counts them: docs/adr/0030-containers.md. */
  containers: 7869005,
  /** Second key: a runtime's id. Held by the worker that follows it. */
  runtime: 7869006,
  /** Second key: an image's id. Held by the worker that looks at what it holds: docs/adr/0035-inspections.md. */
  inspectedImage: 7869007,
  /** Second key: a layer's id. Held by the worker that downloads it. */
  inspectedLayer: 7869008,
  /** Second key: 0. Held by who writes what images hold, and so by who counts packages. */
  packages: 7869009,
} as const;
