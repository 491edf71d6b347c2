import {
  digitsOf,
  isOneDigitRepeated,
  passesLuhn,
  passesMod11And10,
  passesVerhoeff,
  weightedSum,
} from "./check-digits.ts";

/** True where year, month and day could be a date of birth; two-digit years take any century. */
function isDate(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/** Social Security Administration: area never 000, 666 or 9xx, group never 00, serial never 0000; two numbers were used in advertising. */
export function isUsSsn(value: string): boolean {
  const digits = digitsOf(value).join("");
  const [area, group, serial] = [digits.slice(0, 3), digits.slice(3, 5), digits.slice(5)];
  if (digits.length !== 9 || area === "000" || area === "666" || area.startsWith("9")) return false;
  return group !== "00" && serial !== "0000" && digits !== "078051120" && digits !== "219099999";
}

/** IRS publication 1915: 9xx, then a group of 50–65, 70–88, 90–92 or 94–99. */
export function isUsItin(value: string): boolean {
  const digits = digitsOf(value).join("");
  const group = Number(digits.slice(3, 5));
  const isGroup = (group >= 50 && group <= 65) || (group >= 70 && group <= 99 && group !== 89 && group !== 93);
  return digits.length === 9 && digits.startsWith("9") && isGroup;
}

/** NHS Data Dictionary: weights 10 to 2, modulo 11. */
export function isNhsNumber(value: string): boolean {
  const digits = digitsOf(value);
  const check = (11 - (weightedSum(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
  return digits.length === 10 && check === digits[9] && !isOneDigitRepeated(digits);
}

/** HMRC NIM39110: prefixes that are never issued. */
export function isNationalInsuranceNumber(value: string): boolean {
  return !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/i.test(value);
}

/** Canada: Luhn; 0 is not issued and 8 is for businesses. */
export function isSocialInsuranceNumber(value: string): boolean {
  const digits = digitsOf(value);
  return digits.length === 9 && digits[0] !== 0 && digits[0] !== 8 && passesLuhn(digits) && !isOneDigitRepeated(digits);
}

/** BZSt: ISO 7064 MOD 11,10; of the first ten digits one occurs two or three times, the others at most once. */
export function isGermanTaxId(value: string): boolean {
  const digits = digitsOf(value);
  if (digits.length !== 11 || digits[0] === 0 || !passesMod11And10(digits)) return false;
  const counts = new Map<number, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  return repeated.length === 1 && (repeated[0] ?? 0) <= 3;
}

/** Spain: number modulo 23 chooses the letter; X, Y, Z of a NIE stand for 0, 1, 2. */
export function isSpanishNif(value: string): boolean {
  const compact = value.replace(/[ -]/g, "").toUpperCase();
  const number = Number(compact.slice(0, -1).replace("X", "0").replace("Y", "1").replace("Z", "2"));
  return "TRWAGMYFPDXBNJZSQVHLCKE".charAt(number % 23) === compact.slice(-1);
}

/** INSEE: key = 97 − number modulo 97; Corsica's 2A and 2B count as 19 and 18. */
export function isFrenchNir(value: string): boolean {
  const compact = value.replace(/[ .-]/g, "").toUpperCase().replace("2A", "19").replace("2B", "18");
  if (!/^[12]\d{14}$/.test(compact)) return false;
  return 97n - (BigInt(compact.slice(0, 13)) % 97n) === BigInt(compact.slice(13));
}

/** Decreto ministeriale 23 dicembre 1976: values of the characters at odd places. */
const FISCAL_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

/** Italy: sum of the values of 15 characters modulo 26 is the last letter. */
export function isItalianFiscalCode(value: string): boolean {
  const code = value.toUpperCase();
  let sum = 0;
  for (let index = 0; index < 15; index++) {
    const parsed = Number.parseInt(code.charAt(index), 36);
    const order = parsed > 9 ? parsed - 10 : parsed;
    sum += index % 2 === 0 ? (FISCAL_ODD[order] ?? 0) : order;
  }
  return code.length === 16 && code.charCodeAt(15) - 65 === sum % 26;
}

/** Netherlands: the eleven test with weights 9 to 2 and −1. */
export function isDutchBsn(value: string): boolean {
  const digits = digitsOf(value);
  return (
    digits.length === 9 && weightedSum(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 && !isOneDigitRepeated(digits)
  );
}

/** Poland: weights 1 3 7 9; the month carries the century in steps of 20. */
export function isPesel(value: string): boolean {
  const digits = digitsOf(value);
  const month = ((digits[2] ?? 0) * 10 + (digits[3] ?? 0)) % 20;
  const day = (digits[4] ?? 0) * 10 + (digits[5] ?? 0);
  const sum = weightedSum(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
  return digits.length === 11 && sum % 10 === 0 && isDate(month, day);
}

/** Sweden: Luhn over the last ten digits; the day of a coordination number is higher by 60. */
export function isSwedishPersonalNumber(value: string): boolean {
  const digits = digitsOf(value).slice(-10);
  const month = (digits[2] ?? 0) * 10 + (digits[3] ?? 0);
  const day = ((digits[4] ?? 0) * 10 + (digits[5] ?? 0)) % 60;
  return digits.length === 10 && isDate(month, day) && passesLuhn(digits);
}

/** Finland: the nine digits modulo 31 choose the last character. */
export function isFinnishPersonalCode(value: string): boolean {
  const digits = digitsOf(value.slice(0, 10));
  const day = (digits[0] ?? 0) * 10 + (digits[1] ?? 0);
  const month = (digits[2] ?? 0) * 10 + (digits[3] ?? 0);
  const expected = "0123456789ABCDEFHJKLMNPRSTUVWXY".charAt(Number(digits.join("")) % 31);
  return digits.length === 9 && isDate(month, day) && value.slice(-1).toUpperCase() === expected;
}

function cpfDigit(digits: readonly number[], count: number): number {
  const weights = Array.from({ length: count }, (_, index) => count + 1 - index);
  return ((weightedSum(digits, weights) * 10) % 11) % 10;
}

/** Brazil, Receita Federal: two digits modulo 11. */
export function isCpf(value: string): boolean {
  const digits = digitsOf(value);
  if (digits.length !== 11 || isOneDigitRepeated(digits)) return false;
  return cpfDigit(digits, 9) === digits[9] && cpfDigit(digits, 10) === digits[10];
}

/** India, UIDAI: twelve digits, the first 2 to 9, Verhoeff. */
export function isAadhaar(value: string): boolean {
  const digits = digitsOf(value);
  return digits.length === 12 && (digits[0] ?? 0) > 1 && passesVerhoeff(digits) && !isOneDigitRepeated(digits);
}

/** Australian Taxation Office: weighted sum divisible by 11. */
export function isTaxFileNumber(value: string): boolean {
  const digits = digitsOf(value);
  return (
    digits.length === 9 && weightedSum(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 && !isOneDigitRepeated(digits)
  );
}

/** Singapore: weighted sum, plus 4 for T and G (3 for M), modulo 11 chooses the letter. */
export function isNric(value: string): boolean {
  const code = value.toUpperCase();
  const series = code.charAt(0);
  const offset = series === "T" || series === "G" ? 4 : series === "M" ? 3 : 0;
  const remainder = (weightedSum(digitsOf(code), [2, 7, 6, 5, 4, 3, 2]) + offset) % 11;
  const letters = series === "S" || series === "T" ? "JZIHGFEDCBA" : series === "M" ? "XWUTRQPNJLK" : "XWUTRQPNMLK";
  return letters.charAt(remainder) === code.slice(-1);
}
