import type { DocumentReader } from '../document.ts';
import { apk } from './apk.ts';
import { composer } from './composer.ts';
import { dpkg } from './dpkg.ts';
import { gem } from './gem.ts';
import { java } from './java.ts';
import { npm } from './npm.ts';
import { nuget } from './nuget.ts';
import { program } from './program.ts';
import { python } from './python.ts';
import { rpm } from './rpm.ts';

/** Whatever tells of packages in an image. */
export const packageReaders: readonly DocumentReader[] = [
  apk,
  dpkg,
  rpm,
  npm,
  python,
  java,
  gem,
  nuget,
  composer,
  program,
];
