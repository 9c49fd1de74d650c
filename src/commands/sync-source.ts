import type { Database } from '../catalog/database.ts';
import * as catalog from '../catalog/write/index.ts';
import { formatPlatform, parsePlatform } from '../domain/platform.ts';
import { parseRegistryHost } from '../domain/reference.ts';
import { parseSchedule } from '../domain/schedule.ts';
import { parseRepositorySelection, parseTagSelection, type NewestBy } from '../domain/selection.ts';
import { CatalogError } from '../domain/errors.ts';
import { invalid, notFound, read, type UserError } from './user-error.ts';

export interface PlatformInput {
  readonly os?: string | null;
  readonly architecture: string;
  readonly variant?: string | null;
  readonly osVersion?: string | null;
}

export interface AddSyncSourceInput {
  readonly registry: string;
  readonly repositories: string;
  readonly tags?: string | null;
  readonly maxTags?: number | null;
  /** By version when null or not given. */
  readonly newestBy?: NewestBy | null;
  readonly platforms?: readonly PlatformInput[] | null;
  readonly schedule?: string | null;
  /** Not when null or not given. */
  readonly inspectContents?: boolean | null;
}

/** What is undefined stays; null takes away. */
export interface UpdateSyncSourceInput {
  readonly id: number;
  readonly repositories?: string | null;
  readonly tags?: string | null;
  readonly maxTags?: number | null;
  readonly newestBy?: NewestBy | null;
  readonly platforms?: readonly PlatformInput[] | null;
  readonly schedule?: string | null;
  readonly inspectContents?: boolean | null;
  readonly paused?: boolean | null;
}

export interface SyncSourceOutcome {
  readonly sourceId: number | null;
  readonly userErrors: UserError[];
}

export interface SyncSourceCommands {
  addSyncSource(input: AddSyncSourceInput): Promise<SyncSourceOutcome>;
  updateSyncSource(input: UpdateSyncSourceInput): Promise<SyncSourceOutcome>;
  removeSyncSource(input: { id: number }): Promise<{ removedId: number | null; userErrors: UserError[] }>;
}

export function createSyncSourceCommands(database: Database, now: () => Date): SyncSourceCommands {
  async function changeable(errors: UserError[], id: number): Promise<catalog.SyncSource | null> {
    const source = await catalog.findSyncSource(database, id);
    if (source === null) {
      errors.push(notFound('id', 'There is no such sync source.'));
    } else if (source.managedBy === 'CONFIG') {
      errors.push(invalid('id', 'This source is kept by the configuration file; change it there.'));
    }
    return source;
  }

  return {
    async addSyncSource(input) {
      const errors: UserError[] = [];
      const host = read(errors, 'registry', () => parseRegistryHost(input.registry));
      const registry = host === undefined ? null : await catalog.findRegistry(database, { host });
      if (host !== undefined && registry === null) {
        errors.push(notFound('registry', `The catalog follows no registry "${host}"; add it with addRegistry first.`));
      }
      const change = readChange(errors, input, now());
      if (registry === null || errors.length > 0) return { sourceId: null, userErrors: errors };
      const sourceId = await catalog.addSyncSource(database, {
        registryId: registry.id,
        repositories: input.repositories,
        ...catalog.EVERY_TAG,
        schedule: null,
        inspectContents: false,
        nextRunAt: null,
        ...change,
        paused: false,
        managedBy: 'API',
      });
      return { sourceId, userErrors: [] };
    },

    async updateSyncSource(input) {
      const errors: UserError[] = [];
      const source = await changeable(errors, input.id);
      if (input.repositories === null)
        errors.push(invalid('repositories', "repositories can't be null: write a name or a pattern such as team-a/*."));
      const change = readChange(errors, input, now());
      if (source === null || errors.length > 0) return { sourceId: null, userErrors: errors };
      const { id, ...stored } = source;
      await catalog.replaceSyncSource(database, id, {
        ...stored,
        ...change,
        ...(typeof input.paused === 'boolean' && { paused: input.paused }),
      });
      return { sourceId: id, userErrors: [] };
    },

    async removeSyncSource({ id }) {
      const errors: UserError[] = [];
      const source = await changeable(errors, id);
      if (source === null || errors.length > 0) return { removedId: null, userErrors: errors };
      await catalog.removeSyncSource(database, id);
      return { removedId: id, userErrors: [] };
    },
  };
}

type Change = Partial<
  Pick<
    catalog.NewSyncSource,
    'repositories' | 'tags' | 'maxTags' | 'newestBy' | 'platforms' | 'schedule' | 'inspectContents' | 'nextRunAt'
  >
>;

/** Checks what is given; what is undefined is left out of the change. */
function readChange(errors: UserError[], input: Omit<UpdateSyncSourceInput, 'id'>, now: Date): Change {
  const change: { -readonly [key in keyof Change]: Change[key] } = {};
  const { repositories, tags, maxTags, newestBy, platforms, schedule, inspectContents } = input;
  if (typeof repositories === 'string') {
    change.repositories = read(errors, 'repositories', () => parseRepositorySelection(repositories).text) ?? '';
  }
  if (tags !== undefined) {
    change.tags = tags === null ? null : (read(errors, 'tags', () => parseTagSelection(tags).text) ?? null);
  }
  if (maxTags !== undefined) {
    if (maxTags !== null && maxTags < 1) {
      errors.push(invalid('maxTags', `maxTags is ${maxTags}: write a number from 1 on, or null for all.`));
    }
    change.maxTags = maxTags;
  }
  if (newestBy !== undefined) change.newestBy = newestBy ?? 'VERSION';
  if (platforms !== undefined) {
    change.platforms = (platforms ?? []).map(
      (platform, at) => read(errors, `platforms.${at}`, () => platformText(platform)) ?? '',
    );
  }
  if (typeof inspectContents === 'boolean') change.inspectContents = inspectContents;
  if (schedule !== undefined) {
    const parsed = schedule === null ? null : read(errors, 'schedule', () => parseSchedule(schedule));
    change.schedule = parsed?.text ?? null;
    change.nextRunAt = parsed?.next(now) ?? null;
  }
  return change;
}

function platformText({ os, architecture, variant, osVersion }: PlatformInput): string {
  if (/[/:]/.test(architecture)) {
    throw new CatalogError(
      'INVALID_PLATFORM',
      `architecture "${architecture}" is not one: write amd64, arm64, arm, ...`,
    );
  }
  const text = formatPlatform({ os: os ?? 'linux', architecture, variant: variant ?? null });
  const whole = osVersion ? `${text}:${osVersion}` : text;
  parsePlatform(whole);
  return whole;
}
