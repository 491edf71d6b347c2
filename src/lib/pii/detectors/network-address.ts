import { type Detector, hasDigit } from "../detector.ts";
import { matchSpans } from "../match-spans.ts";
import { saidBefore } from "../context-words.ts";

const OCTET = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const IPV4 = new RegExp(`(?<![\\w.-])(?:${OCTET}\\.){3}${OCTET}(?![\\w-]|\\.\\d)`, "g");
/** Anything of hexadecimal groups and colons; `isIpv6` decides. */
const IPV6_CANDIDATE = /(?<![\w:.])[0-9a-f]{0,4}:[0-9a-f:]{2,37}[0-9a-f](?![\w:])/gi;
const MAC = /(?<![\w:-])[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\w:-])/gi;

const IPV6_GROUPS = 8;
/** Hexadecimal digits that a shortened address has at least: "a::b" is more often a name in a program. */
const IPV6_SHORT_DIGITS_MIN = 4;
const VERSION_WORDS = /(?:\bversions?|\brelease|\bv|\bver\.?|\bsection|\bfirmware|§)\s{0,2}$/i;

/** RFC 4291, 2.2, without the mixed IPv4 form. */
export function isIpv6(value: string): boolean {
  const halves = value.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return false;
  if (halves.length === 1) return groups.length === IPV6_GROUPS;
  return groups.length < IPV6_GROUPS && groups.join("").length >= IPV6_SHORT_DIGITS_MIN && /\d/.test(value);
}

/** IPv4, IPv6 and hardware addresses. Addresses that mean no machine (0.0.0.0, 127.x, 255.255.255.255) are left alone. */
export const networkAddressDetector: Detector = {
  name: "network-address",
  types: ["IP_ADDRESS", "MAC_ADDRESS"],
  mayFind: (text) => hasDigit(text) && (text.includes(".") || text.includes(":") || text.includes("-")),
  find(text) {
    const source = { text, detector: "network-address" };
    const v4 = matchSpans(source, IPV4, (match, start) =>
      /^(?:0\.|127\.|255\.255\.255)/.test(match[0]) || saidBefore(text, start, VERSION_WORDS)
        ? undefined
        : { type: "IP_ADDRESS", score: 0.95 },
    );
    const v6 = text.includes(":")
      ? matchSpans(source, IPV6_CANDIDATE, (match) =>
          isIpv6(match[0]) ? { type: "IP_ADDRESS", score: 0.95 } : undefined,
        )
      : [];
    const mac = matchSpans(source, MAC, () => ({ type: "MAC_ADDRESS", score: 0.97 }));
    return [...v4, ...v6, ...mac];
  },
};
