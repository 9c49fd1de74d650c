/** How a runtime is kept track of, wherever what is seen of it is written down. */
export { followRuntime, type FollowSettings, type RuntimeRecord } from './follow-runtime.ts';
