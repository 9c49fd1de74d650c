import { isDigest, type Digest } from '../../domain/digest.ts';
import { isObject, type Json } from '../../domain/json.ts';
import { isEngineId } from './listed-container.ts';

/** What an event gives reason to do: look at a container, forget it, note a commit, look at the images. */
export type EngineEvent =
  | { readonly kind: 'changed' | 'removed'; readonly containerId: string }
  | { readonly kind: 'committed'; readonly containerId: string; readonly imageId: Digest | null }
  | { readonly kind: 'images' };

/**
 * Null for one that changes nothing here, or that is none. Of the attributes only those are believed that the action
 * itself sets: all labels of the container stand among them.
 */
export function readEvent(event: Json): EngineEvent | null {
  if (!isObject(event)) return null;
  const actor = isObject(event['Actor']) ? event['Actor'] : {};
  // `health_status: healthy`, `exec_create: sh -c …`
  const [action = ''] = typeof event['Action'] === 'string' ? event['Action'].split(':', 1) : [];
  if (event['Type'] === 'image') return IMAGE_ACTIONS.has(action) ? { kind: 'images' } : null;
  const { ID: containerId } = actor;
  if (event['Type'] !== 'container' || !isEngineId(containerId)) return null;
  if (action === 'commit') return { kind: 'committed', containerId, imageId: committedImage(actor['Attributes']) };
  if (REMOVALS.has(action)) return { kind: 'removed', containerId };
  return CHANGES.has(action) ? { kind: 'changed', containerId } : null;
}

/** The newest of them are left out as often as not: pull and push change what an image is known by, too. */
const IMAGE_ACTIONS = new Set([
  'build',
  'commit',
  'create',
  'delete',
  'import',
  'load',
  'loadfromarchive',
  'prune',
  'pull',
  'push',
  'remove',
  'tag',
  'untag',
]);
const REMOVALS = new Set(['destroy', 'remove']);
const CHANGES = new Set([
  'cleanup',
  'create',
  'die',
  'died',
  'health_status',
  'init',
  'kill',
  'oom',
  'pause',
  'rename',
  'restart',
  'start',
  'stop',
  'unpause',
  'update',
]);

function committedImage(attributes: Json | undefined): Digest | null {
  const id = isObject(attributes) ? attributes['imageID'] : null;
  return typeof id === 'string' && isDigest(id) ? id : null;
}
