export { jobs, type Job, type JobName, type JobPayload } from './jobs.ts';
export { queueDepth } from './depth.ts';
export { enqueue, enqueueRun, enqueueRuns, prepareQueue, traceOf } from './queue.ts';
