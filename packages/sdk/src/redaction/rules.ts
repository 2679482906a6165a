/** Text to redact wherever it stands in a value. */
export interface RedactionPattern {
  /** What to look for; all matches are redacted, whatever the flags say of that. */
  readonly pattern: RegExp;
  /** Looks at a match once more. Default: every match counts. */
  readonly accept?: (match: string) => boolean;
}

/** What to redact; see `redact`. */
export interface RedactionRules {
  /**
   * Attributes to redact by key, whatever their value: a string is compared without regard to case, `*` in it
   * stands for any characters; a regular expression as it is. Keys inside map values count as well.
   */
  readonly keys?: readonly (string | RegExp)[];
  /** Parts of string values to redact. */
  readonly patterns?: readonly (RegExp | RedactionPattern)[];
}

/**
 * Rules for what never belongs in a trace: credentials in headers, query strings, connection strings and
 * tokens, private keys, and numbers that pass for payment cards.
 *
 * They know what secrets look like, not what is secret to you: add the keys of your own.
 *
 * @example
 * ```ts
 * import { bufferedPlugin, fileExporter, redact, secretRules } from '@tracewell/sdk';
 *
 * const plugin = redact(bufferedPlugin(fileExporter('traces.jsonl')), {
 *   keys: [...secretRules.keys, 'customer.*'],
 *   patterns: secretRules.patterns,
 * });
 * await plugin.shutdown();
 * ```
 */
export const secretRules: Required<RedactionRules> = {
  keys: [
    '*authorization',
    '*.cookie',
    'cookie',
    '*set-cookie',
    '*passwd',
    '*password',
    '*passphrase',
    '*secret',
    '*secret_key',
    '*secret-key',
    '*private_key',
    '*private-key',
    '*api_key',
    '*api-key',
    '*apikey',
    '*token',
    '*credential',
    '*credentials',
    '*csrf*',
    '*xsrf*',
    // Card data: number and check digits.
    '*card.number',
    '*card_number',
    '*cardnumber',
    '*.cvv',
    '*.cvc',
  ],
  patterns: [
    // Authorization values wherever they were copied to, such as messages of errors.
    /(?<=\b(?:bearer|basic) )[\w.~+/-]{8,}={0,2}/gi,
    // JSON Web Tokens: three base64url parts of which the first two begin with `{"`. The look behind lets only one
    // match begin in a run of such characters, or a long run would take the square of its length.
    /(?<![\w-])eyJ[\w-]{4,}\.eyJ[\w-]{4,}\.[\w-]*/g,
    // Credentials in a query string or a form.
    /(?<=[?&;](?:access_token|refresh_token|id_token|token|api_?key|key|secret|client_secret|password|passwd|pwd|sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature|code)=)[^&#;\s"']+/gi,
    // The password of a URL or a connection string.
    /(?<=:\/\/[^\s/:@]{0,256}:)[^\s/@]{1,256}(?=@)/g,
    /(?<=\b(?:password|pwd)\s?=\s?)[^\s;&"']+/gi,
    // Keys of well-known services, recognisable by their prefixes.
    /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
    /\bgh[opusr]_[A-Za-z0-9]{36,255}\b/g,
    /\bgithub_pat_\w{22,255}\b/g,
    /\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,255}\b/g,
    /\bxox[abeoprs]-[A-Za-z0-9-]{10,255}/g,
    /\bAIza[\w-]{35}\b/g,
    /\bnpm_[A-Za-z0-9]{36}\b/g,
    // Private keys in PEM; up to the end of the text where the last line is missing.
    /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g,
    { pattern: /(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w.])/g, accept: isCardNumber },
  ],
};

/**
 * Whether 13 to 19 digits could be a payment card: they begin as one does and their check digit is right. One in
 * ten random numbers passes the check digit, and the beginning sorts out most of those, such as timestamps.
 *
 * @see https://www.iso.org/standard/70484.html (ISO/IEC 7812-1, annex B: the Luhn formula)
 */
function isCardNumber(text: string): boolean {
  const digits = text.replace(/\D/g, '');
  if (!/^(?:4|5[1-5]|2[2-7]|3[0-9]|6)/.test(digits)) return false;
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
