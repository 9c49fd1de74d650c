import { Counter } from 'prom-client';
import { registry } from './registry.ts';

/** `taken` is looked at, `ignored` changes nothing here, `broken` can't be read, `unproven` shows no secret. */
export type NotificationResult = 'taken' | 'ignored' | 'broken' | 'unproven' | 'failed';

/** Counts a notification of a registry that the catalog follows; what comes for others is not counted. */
export function countNotification(host: string, result: NotificationResult): void {
  notifications.inc({ registry: host, result });
}

const notifications = new Counter({
  name: 'stowage_notifications_total',
  help: 'Notifications that came at webhooks, by the registry that they are of and what came of them.',
  labelNames: ['registry', 'result'],
  registers: [registry],
});
