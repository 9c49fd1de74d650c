import { z } from 'zod';

/** What a worker is asked to do. The payload of each is checked again when it is taken up. */
export const jobs = {
  /** Find out which repositories a run has to look at, and queue each. */
  'start-sync-run': z.object({ runId: z.number().int(), attempt: z.number().int() }),
  /** Look at one repository of a run. */
  'sync-repository': z.object({ runId: z.number().int(), name: z.string(), attempt: z.number().int() }),
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
