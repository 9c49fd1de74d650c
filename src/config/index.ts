import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { readEnvironment, type Environment, type ProcessSettings } from './environment.ts';
import { InvalidConfiguration } from './faults.ts';
import { readDeclarations, type Declarations } from './declarations.ts';

export type {
  DeclaredCredential,
  DeclaredRegistry,
  DeclaredRuntime,
  DeclaredSource,
  Declarations,
} from './declarations.ts';
export type { Environment, LogLevel, ProcessSettings } from './environment.ts';
export { KEY_FORM, parseKeys, type CredentialKeys } from './credential-keys.ts';
export { InvalidConfiguration } from './faults.ts';

/** All that an operator can set, checked. */
export interface Config extends ProcessSettings {
  /** What stowage.yaml declares; null where there is no such file. */
  readonly declarations: (Declarations & { readonly file: string }) | null;
}

/**
 * Reads the environment, and the file that it names or ./stowage.yaml, relative to `directory`. Throws
 * InvalidConfiguration with every fault in both.
 */
export function readConfig(environment: Environment, directory: string): Config {
  const faults: string[] = [];
  const { configFile, ...settings } = readEnvironment(environment, directory, faults);

  const file = configFile ?? resolve(directory, 'stowage.yaml');
  const text = readText(file, configFile !== null, faults);
  const name = relative(directory, file).startsWith('..') ? file : relative(directory, file);
  const declarations = text === null ? null : { ...readDeclarations(text, name, environment, faults), file: name };

  if (faults.length > 0) throw new InvalidConfiguration(faults);
  return { ...settings, declarations };
}

function readText(file: string, isNamed: boolean, faults: string[]): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !isNamed) return null;
    const place = isNamed ? 'environment STOWAGE_CONFIG' : 'stowage.yaml';
    faults.push(`${place}: ${file} cannot be read (${code ?? String(error)}): name a YAML file.`);
    return null;
  }
}
