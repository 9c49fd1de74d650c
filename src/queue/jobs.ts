import { z } from 'zod';

const goes = {
  /** 1 for the first. */
  attempt: z.number().int(),
  /** How many of those before did not fail, but were put off since the host allowed no more; 0 when not given. */
  putOff: z.number().int().optional(),
};

/** What a worker is asked to do. The payload of each is checked again when it is taken up. */
export const jobs = {
  /** Find out which repositories a run has to look at, and queue them in batches. */
  'start-sync-run': z.object({ runId: z.number().int(), ...goes }),
  /** Look at some repositories of a run, one after the other. */
  'sync-repositories': z.object({ runId: z.number().int(), names: z.array(z.string()), ...goes }),
} as const;

export type JobName = keyof typeof jobs;
export type JobPayload<N extends JobName> = z.infer<(typeof jobs)[N]>;

/** A job to be queued. */
export type Job = {
  readonly [N in JobName]: {
    readonly name: N;
    readonly payload: JobPayload<N>;
    /** Now when not given. */
    readonly runAt?: Date;
    /** 0 when not given; lower ones go first. */
    readonly priority?: number;
  };
}[JobName];
