/** How much is downloaded to see what images hold. All are bytes, as layers are stored. */
export interface InspectionLimits {
  /** A larger layer is not looked at. */
  readonly maxLayerBytes: number;
  /** An image of which more would have to be downloaded is not looked at. */
  readonly maxImageBytes: number;
  /** Of all images together, on a day (UTC); what is beyond waits for the next. */
  readonly maxBytesPerDay: number;
}

const GIB = 2 ** 30;

/** What holds where the operator says nothing. */
export const INSPECTION_LIMITS: InspectionLimits = {
  maxLayerBytes: 4 * GIB,
  maxImageBytes: 16 * GIB,
  maxBytesPerDay: 200 * GIB,
};

/** Throws an Error where a layer would be allowed that no day has room for: it would wait for ever. */
export function checkInspectionLimits({ maxLayerBytes, maxBytesPerDay }: InspectionLimits): void {
  if (maxLayerBytes <= maxBytesPerDay) return;
  throw new Error(
    `maxBytesPerDay is ${maxBytesPerDay}, less than the ${maxLayerBytes} of maxLayerBytes: a layer is downloaded on one day.`,
  );
}
