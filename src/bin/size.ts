/** Bytes as people read them, in steps of 1000 as registries count: 812 B, 3.6 MB. */
export function formatSize(bytes: number): string {
  const step = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), UNITS.length - 1);
  return step === 0 ? `${bytes} B` : `${(bytes / 1000 ** step).toFixed(1)} ${UNITS[step] ?? ''}`;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
