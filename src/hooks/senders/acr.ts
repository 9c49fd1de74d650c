import type { Sender } from '../notification.ts';
import { mentionsOf } from './distribution.ts';

/** Azure Container Registry: one event, as the distribution registry has them in its envelopes. */
export const acr: Sender = {
  name: 'Azure Container Registry',
  recognises: ({ payload }) =>
    typeof payload['action'] === 'string' &&
    typeof payload['timestamp'] === 'string' &&
    typeof payload['id'] === 'string',
  // The others are pings, quarantines and Helm charts.
  read: ({ payload }) => (payload['action'] === 'push' || payload['action'] === 'delete' ? mentionsOf(payload) : []),
};
