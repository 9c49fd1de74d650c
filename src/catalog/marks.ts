/**
 * What stands before each word of a document that search reads, and tells where the thing has it. Words of a
 * description and of an instruction have no mark. The documents of repositories are made by the database itself.
 */
export const MARKS = {
  /** A name as a whole: with its host, without it, and its last part. */
  path: '=',
  /** A word of a name, or a part of it between slashes. */
  name: '.',
  /** The end of one, of two letters and more. */
  ending: '*',
  /** A word of a name that lacks one letter, behind the letter's place: ~2~apine. */
  spelling: '~',
  /** A word of a label, its name or its value. */
  label: '@',
  /** A word of an annotation, or of what an organisation says of a repository. */
  annotation: '+',
  /** Not a word: the block of ids that an image belongs to. */
  block: '#',
} as const;

/** Images are searched block by block from the newest, and a block has this many ids as a power of two. */
export const BLOCK_BITS = 10;
