import { type Detector, hasDigit } from "../detector.ts";
import { isBase58Address, isBech32Address } from "../identifiers/wallet-checks.ts";
import { matchSpans } from "../match-spans.ts";

const BASE58 = /\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b/g;
const BECH32 = /\b(?:bc|tb|ltc)1[02-9ac-hj-np-z]{8,87}\b/gi;
/** Without EIP-55, whose hash (Keccak) the platform lacks: the form alone, "0x" and 40 digits, is rare enough. */
const ETHEREUM = /\b0x[0-9a-f]{40}\b/gi;

/** Addresses of Bitcoin, Litecoin (bech32) and Ethereum. */
export const cryptoWalletDetector: Detector = {
  name: "crypto-wallet",
  types: ["CRYPTO_WALLET"],
  mayFind: (text) => text.length > 25 && hasDigit(text),
  find(text) {
    const source = { text, detector: "crypto-wallet" };
    const isBase58 = (value: string): boolean => /[A-Za-z]/.test(value) && isBase58Address(value);
    return [
      ...matchSpans(source, BASE58, ([value]) => (isBase58(value) ? { type: "CRYPTO_WALLET", score: 1 } : undefined)),
      ...matchSpans(source, BECH32, ([value]) =>
        isBech32Address(value) ? { type: "CRYPTO_WALLET", score: 1 } : undefined,
      ),
      ...matchSpans(source, ETHEREUM, () => ({ type: "CRYPTO_WALLET", score: 0.85 })),
    ];
  },
};
