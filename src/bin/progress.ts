import { Presets, SingleBar } from 'cli-progress';
import type { SyncRunRecord } from '../catalog/read/index.ts';

/** Tells how far a run is: a bar on a terminal, elsewhere a line for every change. */
export interface Progress {
  show(run: SyncRunRecord): void;
  end(): void;
}

export function openProgress(stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? bar(stream) : lines(stream);
}

function bar(stream: NodeJS.WriteStream): Progress {
  const single = new SingleBar(
    {
      stream,
      format: '{bar} {value}/{total} repositories, {manifests} manifests, {duration_formatted}',
      hideCursor: true,
    },
    Presets.shades_classic,
  );
  single.start(1, 0, { manifests: 0 });
  return {
    show(run) {
      single.setTotal(run.repositoriesTotal ?? 1);
      single.update(run.repositoriesDone, { manifests: run.manifestsFetched });
    },
    end: () => single.stop(),
  };
}

function lines(stream: NodeJS.WriteStream): Progress {
  let last = '';
  return {
    show(run) {
      const total = run.repositoriesTotal === null ? '' : ` of ${run.repositoriesTotal}`;
      const line = `${run.status.toLowerCase()}: ${run.repositoriesDone}${total} repositories, ${run.manifestsFetched} manifests\n`;
      if (line !== last) stream.write(line);
      last = line;
    },
    end: () => undefined,
  };
}
