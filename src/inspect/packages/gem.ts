import { foundPackage } from '../../domain/package.ts';
import type { DocumentReader } from '../document.ts';
import { collect } from './found.ts';

/** The specification of an installed gem, or of one that came with Ruby. https://guides.rubygems.org/specification-reference/ */
export const gem: DocumentReader = {
  recognises: (path) => /(?:^|\/)specifications\/(?:default\/)?[^/]+\.gemspec$/.test(path),
  maxBytes: 4 * 1024 * 1024,
  read(path, bytes) {
    const text = new TextDecoder().decode(bytes);
    // RubyGems writes name, version and platform into a comment, whatever the specification computes.
    const stub = /^# stub: (\S+) (\S+) (\S+)/m.exec(text);
    return collect(
      [
        foundPackage({
          type: 'GEM',
          name: stub?.[1] ?? literalOf(text, 'name'),
          version: stub?.[2] ?? literalOf(text, 'version'),
          licenses: licensesOf(text),
        }),
      ],
      path,
    );
  },
};

function literalOf(text: string, attribute: string): string {
  const match = new RegExp(
    `^[ \\t]*\\w+\\.${attribute}[ \\t]*=[ \\t]*(?:Gem::Version\\.new\\()?(["'])([^"'\\n]+)\\1`,
    'm',
  ).exec(text);
  return match?.[2] ?? '';
}

function licensesOf(text: string): string[] {
  const [, list = ''] = /^[ \t]*\w+\.licenses?[ \t]*=[ \t]*(\[[^\]\n]*\]|["'][^"'\n]*["'])/m.exec(text) ?? [];
  return [...list.matchAll(/["']([^"']+)["']/g)].map(([, license = '']) => license);
}
