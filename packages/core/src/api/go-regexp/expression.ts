/** Tells whether a character, as its code point, belongs to a class. */
export type CharacterTest = (codePoint: number) => boolean;

export type Assertion = 'lineStart' | 'lineEnd' | 'textStart' | 'textEnd' | 'wordBoundary' | 'noWordBoundary';

/** A parsed regular expression. Captures and greediness are not kept: only whether a text matches is asked. */
export type Expression =
  | { kind: 'empty' }
  | { kind: 'character'; test: CharacterTest }
  | { kind: 'assertion'; assertion: Assertion }
  | { kind: 'sequence'; parts: Expression[] }
  | { kind: 'choice'; options: Expression[] }
  | { kind: 'repeat'; of: Expression; min: number; max: number };
