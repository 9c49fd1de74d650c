import { defineConfig } from 'vite';
import { precompressed } from './precompressed.ts';

export default defineConfig({
  // Relative, so that the page works behind a proxy that serves it below a path of its own.
  base: './',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsDir: 'playground',
    // The editor alone is larger than what Vite takes for normal.
    chunkSizeWarningLimit: 5_000,
    rolldownOptions: {
      // Says of a hundred modules that "use client" means nothing here, which is so.
      onLog(level, log, report) {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log);
      },
    },
  },
  worker: { format: 'es' },
  plugins: [precompressed()],
});
