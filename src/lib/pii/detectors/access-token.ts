import type { PiiSpan } from "../../contract/pii.ts";
import type { Detector } from "../detector.ts";
import { entropyBits } from "../identifiers/entropy.ts";
import { TOKEN_FORMS } from "../identifiers/token-prefixes.ts";
import { matchesOf, matchSpans } from "../match-spans.ts";

const KNOWN = new RegExp(`(?<![\\w-])(?:${TOKEN_FORMS.join("|")})(?![\\w-])`, "g");
/** Below this a token of a known form is a sample such as "sk-xxxxxxxxxxxxxxxxxxxxxxxx". Bits per character. */
const KNOWN_BITS_MIN = 2.5;

const PASSWORD_NAMES = "passwords?|passwd|passphrase|passcode|pwd|pass";
const KEY_NAMES =
  "api[_ -]?key|apikey|access[_ -]?key(?:[_ -]?id)?|secret[_ -]?(?:access[_ -]?)?key|client[_ -]?secret|account[_ -]?key|shared[_ -]?access[_ -]?key|auth[_ -]?token|access[_ -]?token|refresh[_ -]?token|bearer|private[_ -]?key|secret|token|credentials?|authorization";
/** Name, sign, and the value in the group `value`. */
const ASSIGNMENT = new RegExp(
  `(?<name>${PASSWORD_NAMES}|${KEY_NAMES})["'\\]]{0,2}(?:\\s{0,3}(?::=|=>|==?|:)\\s{0,3}|\\s{1,3}is:?\\s{1,3}|\\s)(?:(?:bearer|basic)\\s)?["'\`]?(?<value>[^\\s"'\`,;<>{}()&]{6,256})`,
  "dgi",
);
const IS_PASSWORD_NAME = new RegExp(`^(?:${PASSWORD_NAMES})$`, "i");

/** Values that stand for a value. */
const PLACEHOLDER =
  /^(?:\$|%|<|\{|\[|\*{3}|x{4}|\.{3}|your|my[-_]|example|changeme|placeholder|redacted|process\.|os\.|env\.|import|null|none|undefined|true|false|string|required|optional|https?:)/i;

/** Characters and bits per character of a value that a person did not choose. */
const KEY_CHARACTERS_MIN = 16;
const KEY_BITS_MIN = 3;

/** Names of passwords in examples: "mypassword", "generate_password_hash". */
const NAME_OF_A_PASSWORD = /^[a-z_.-]{0,24}pass(?:word|wd|phrase)?[a-z_.-]{0,24}$/i;

function looksLikePassword(value: string, sign: string): boolean {
  if (/[0-9]/.test(value) && /[a-z]/i.test(value)) return true;
  if (/[a-z0-9][!@#$%^&*+?~|\\][a-z0-9]?/i.test(value)) return true;
  return /^\s*=/.test(sign) && /^[a-z]+$/.test(value);
}

function scoreOfAssignment(name: string, value: string, sign: string): number {
  if (PLACEHOLDER.test(value) || NAME_OF_A_PASSWORD.test(value)) return 0;
  if (IS_PASSWORD_NAME.test(name)) return /[:=]|\sis/i.test(sign) && looksLikePassword(value, sign) ? 0.85 : 0;
  const isKey = value.length >= KEY_CHARACTERS_MIN && entropyBits(value) >= KEY_BITS_MIN && /\d/.test(value);
  return isKey ? 0.85 : 0;
}

function assignmentsOf(text: string): readonly PiiSpan[] {
  const spans: PiiSpan[] = [];
  for (const match of matchesOf(text, ASSIGNMENT)) {
    const range = match.indices?.groups?.["value"];
    const { name, value } = match.groups ?? {};
    if (range === undefined || name === undefined || value === undefined) continue;
    // "password = readPassword(…)" and "token: options[…]" take the value from elsewhere
    if (/[([]/.test(text.charAt(range[1]))) continue;
    const trimmed = value.replace(/[.!?:\]]{1,8}$/, "");
    const sign = match[0].slice(name.length, match[0].length - value.length);
    const score = scoreOfAssignment(name, trimmed, sign);
    if (score === 0) continue;
    const type = IS_PASSWORD_NAME.test(name) ? "PASSWORD" : "API_TOKEN";
    spans.push({ type, start: range[0], end: range[0] + trimmed.length, score, detector: "secret-assignment" });
  }
  return spans;
}

/** Access tokens by their published prefix, and passwords and keys by the name they are assigned to. */
export const accessTokenDetector: Detector = {
  name: "access-token",
  types: ["API_TOKEN", "PASSWORD"],
  mayFind: (text) => text.length > 8 && /[\d_-]|pass|pwd/i.test(text),
  find(text) {
    const known = matchSpans({ text, detector: "token-prefix" }, KNOWN, (match) =>
      entropyBits(match[0]) >= KNOWN_BITS_MIN && !/your[-_]|[-_]here/i.test(match[0])
        ? { type: "API_TOKEN", score: 0.99 }
        : undefined,
    );
    return [...known, ...assignmentsOf(text)];
  },
};
