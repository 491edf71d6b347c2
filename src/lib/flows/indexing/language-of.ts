import { LANGUAGE_LETTERS_MIN, type LanguageDetector } from "../../gate/language.ts";

/** Units that the detector is shown. */
const SAMPLE_UNITS = 1_000;

/** ISO 639-1 code of a text's language, '' where it is too short to tell or the detector does not trust itself. */
export function languageOf(text: string, detect: LanguageDetector): string {
  if (text.length < LANGUAGE_LETTERS_MIN) return "";
  const { scores, isReliable } = detect(text.slice(0, SAMPLE_UNITS).toWellFormed());
  if (!isReliable) return "";
  return Object.entries(scores).reduce((most, entry) => (entry[1] > most[1] ? entry : most), ["", 0])[0];
}
