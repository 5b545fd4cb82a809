const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Maps each byte of ASCII text to a letter or digit that forms no words, as Kubernetes does for generated names. */
export function safeEncode(text: string): string {
  let encoded = '';
  for (let i = 0; i < text.length; i++) encoded += ALPHABET[text.charCodeAt(i) % ALPHABET.length];
  return encoded;
}
