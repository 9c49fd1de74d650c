import { z } from 'zod';
import { checkInspectionLimits, INSPECTION_LIMITS } from '../domain/inspection-limits.ts';
import { parsedBy } from './schema.ts';

const bytes = z.int().min(1).optional();

/** How much is downloaded to see what images hold; what is left out is as usual. */
export const inspection = z
  .strictObject({ maxLayerBytes: bytes, maxImageBytes: bytes, maxBytesPerDay: bytes })
  .transform(({ maxLayerBytes, maxImageBytes, maxBytesPerDay }) => ({
    maxLayerBytes: maxLayerBytes ?? INSPECTION_LIMITS.maxLayerBytes,
    maxImageBytes: maxImageBytes ?? INSPECTION_LIMITS.maxImageBytes,
    maxBytesPerDay: maxBytesPerDay ?? INSPECTION_LIMITS.maxBytesPerDay,
  }))
  .transform(parsedBy((limits) => (checkInspectionLimits(limits), limits)));
