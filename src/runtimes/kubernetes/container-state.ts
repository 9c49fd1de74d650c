import type { ContainerState, ObservedContainer } from '../../domain/container.ts';
import { cut, isObject, textOf, wordOf, type Json, type JsonObject } from '../../domain/json.ts';
import { parseTimestamp } from '../../domain/timestamp.ts';
import { listOf, objectOf, type Pod } from './pod.ts';

/** How a container is, and how it came to that. */
export type ObservedState = Pick<
  ObservedContainer,
  'state' | 'status' | 'exitCode' | 'startedAt' | 'finishedAt' | 'restartCount'
>;

/**
 * By the container's own status, null where it has none yet. What a pod says whose node does not answer, or is gone, was
 * true once. https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
 */
export function readState(pod: Pod, status: JsonObject | null, isHostGone: boolean): ObservedState {
  const { waiting, running, terminated } = objectOf(status?.['state']);
  const hasFinished = pod.status['phase'] === 'Succeeded' || pod.status['phase'] === 'Failed';
  const isLost = pod.status['phase'] === 'Unknown' || (isHostGone && !hasFinished);
  const restartCount = countOf(status?.['restartCount']);
  const told = (state: ContainerState, words: string | null, of: Json | undefined): ObservedState => ({
    state: isLost ? 'UNKNOWN' : state,
    status: words === null ? null : cut(words, MAX_STATUS),
    ...timesOf(of),
    restartCount,
  });

  if (isObject(terminated)) return told('EXITED', textOf(terminated['reason']), terminated);
  if (isObject(running) && !hasFinished) return told('RUNNING', isTerminating(pod) ? 'Terminating' : null, running);
  // Of a pod that was evicted, or that its node never took in, this is all that is known.
  if (hasFinished) return told('EXITED', textOf(pod.status['reason']), running);
  if (isObject(waiting)) {
    const words = [textOf(waiting['reason']), textOf(waiting['message'])].filter((text) => text !== null).join(': ');
    if (waiting['reason'] !== 'CrashLoopBackOff') return told('CREATED', words || null, undefined);
    return told('RESTARTING', words, objectOf(status?.['lastState'])['terminated']);
  }
  return told('CREATED', textOf(pod.status['reason']) ?? whyUnscheduled(pod), undefined);
}

const MAX_STATUS = 255;
const MAX_COUNT = 2 ** 31 - 1;

function timesOf(value: Json | undefined): Pick<ObservedState, 'exitCode' | 'startedAt' | 'finishedAt'> {
  const { exitCode, startedAt, finishedAt } = objectOf(value);
  return {
    exitCode: typeof exitCode === 'number' && Math.abs(exitCode) <= MAX_COUNT ? Math.trunc(exitCode) : null,
    startedAt: parseTimestamp(startedAt),
    finishedAt: parseTimestamp(finishedAt),
  };
}

function countOf(value: Json | undefined): number | null {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_COUNT ? value : null;
}

function isTerminating({ metadata }: Pod): boolean {
  return textOf(metadata['deletionTimestamp']) !== null;
}

function whyUnscheduled({ status }: Pod): string | null {
  const condition = listOf(status['conditions']).find(({ type }) => type === 'PodScheduled');
  return condition?.['status'] === 'False' ? wordOf(condition['reason']) : null;
}
