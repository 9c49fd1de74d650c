import { stepsOfLayers, type HistoryStep } from '../../domain/image-config.ts';
import type { Connection } from '../database.ts';

/** One step of an image's build. */
export interface HistoryEntryRecord {
  readonly imageId: number;
  readonly position: number;
  readonly createdAt: Date | null;
  readonly createdBy: string | null;
  readonly author: string | null;
  readonly comment: string | null;
  readonly isEmptyLayer: boolean;
  /** Place of the layer that it made; null where it made none, or nobody can tell. */
  readonly layerPosition: number | null;
}

export interface HistoryRecord {
  /** Oldest first. */
  readonly entries: readonly HistoryEntryRecord[];
  /** The instruction that made each layer, bottom first; null where nobody can tell. */
  readonly createdBy: readonly (string | null)[];
}

export function historyReads(connection: Connection) {
  return {
    historiesByImage: async (ids: readonly number[]): Promise<Map<number, HistoryRecord>> => {
      const rows = await connection.run<HistoryRow>(HISTORIES_BY_IMAGE, [ids]);
      return new Map(rows.map((row) => [row.manifest_id, historyOf(row)]));
    },
  };
}

const HISTORIES_BY_IMAGE = `/* catalog.historiesByImage */
  select i.manifest_id, i.layer_count, i.history from image i where i.manifest_id = any((select $1::int[])::int[])`;

interface HistoryRow {
  manifest_id: number;
  layer_count: number;
  history: HistoryStep[];
}

function historyOf({ manifest_id: imageId, layer_count: layerCount, history }: HistoryRow): HistoryRecord {
  const steps = stepsOfLayers(history, layerCount);
  const layers = new Map(steps.map((step, position) => [step, position]));
  return {
    entries: history.map((step, position) => ({
      ...step,
      imageId,
      position,
      createdAt: step.createdAt === null ? null : new Date(step.createdAt),
      layerPosition: layers.get(step) ?? null,
    })),
    createdBy: steps.map((step) => step?.createdBy ?? null),
  };
}
