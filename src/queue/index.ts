export { jobs, type Job, type JobName, type JobPayload } from './jobs.ts';
export { enqueue, enqueueRun, prepareQueue } from './queue.ts';
