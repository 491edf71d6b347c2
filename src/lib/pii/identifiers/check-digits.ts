/** Decimal digits of a string, separators dropped. */
export function digitsOf(value: string): readonly number[] {
  const digits: number[] = [];
  for (const character of value) if (character >= "0" && character <= "9") digits.push(Number(character));
  return digits;
}

/** Sum of digit times weight over the common length. */
export function weightedSum(digits: readonly number[], weights: readonly number[]): number {
  return weights.reduce((sum, weight, index) => sum + weight * (digits[index] ?? 0), 0);
}

/** True for "1111…": passes several checks and names nobody. */
export function isOneDigitRepeated(digits: readonly number[]): boolean {
  return digits.every((digit) => digit === digits[0]);
}

/** ISO/IEC 7812-1, annex B. */
export function passesLuhn(digits: readonly number[]): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits[digits.length - 1 - index] ?? 0;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return digits.length > 1 && sum % 10 === 0;
}

/** ISO 7064 MOD 97-10 over letters and digits (A = 10 … Z = 35), as IBAN uses it: true where the remainder is 1. */
export function passesMod97(characters: string): boolean {
  let remainder = 0;
  for (const character of characters) {
    const value = Number.parseInt(character, 36);
    if (Number.isNaN(value)) return false;
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

// The dihedral group D5 and the permutation of Verhoeff's 1969 scheme.
const VERHOEFF_PRODUCT = ["0123456789", "1234067895", "2340178956", "3401289567", "4012395678"].concat(
  "5987604321",
  "6598710432",
  "7659821043",
  "8765932104",
  "9876543210",
);
const VERHOEFF_PERMUTATION = ["0123456789", "1576283094", "5803796142", "8916043527", "9453126870"].concat(
  "4286573901",
  "2793806415",
  "7046913258",
);

/** Verhoeff, Error Detecting Decimal Codes, 1969: the check digit of Aadhaar. */
export function passesVerhoeff(digits: readonly number[]): boolean {
  let check = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits[digits.length - 1 - index] ?? 0;
    const permuted = Number(VERHOEFF_PERMUTATION[index % 8]?.[digit]);
    check = Number(VERHOEFF_PRODUCT[check]?.[permuted]);
  }
  return digits.length > 1 && check === 0;
}

/** ISO 7064 MOD 11,10: the check digit of the German tax id. */
export function passesMod11And10(digits: readonly number[]): boolean {
  let product = 10;
  for (const digit of digits.slice(0, -1)) {
    const sum = (digit + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === digits.at(-1);
}
