import type { Config } from '../config/index.ts';
import { openRuntime, tlsFilesIn } from '../runtimes/index.ts';
import type { OpenRuntimeFunction } from '../runtimes/runtime.ts';

/** Opens runtimes as this process does: over TCP with the certificates of DOCKER_CERT_PATH where none are named. */
export function openRuntimeOf({ dockerCertificates: folder }: Config): OpenRuntimeFunction {
  return (kind, settings) => {
    const takesThem = settings.endpoint.startsWith('tcp://') && settings.tls === null && !settings.insecure;
    return openRuntime(kind, takesThem && folder !== null ? { ...settings, tls: tlsFilesIn(folder) } : settings);
  };
}
