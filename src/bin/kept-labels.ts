import type { Config } from '../config/index.ts';
import { labelsBut, type KeepsLabel } from '../domain/sound-container.ts';

/** The labels of containers that the configuration lets be kept. */
export function keepsLabelOf({ declarations }: Config): KeepsLabel {
  return labelsBut(declarations?.deniedLabels ?? []);
}
