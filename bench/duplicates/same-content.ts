import type { SeededRandom } from "../../test/support/seeded-random.ts";
import { plainSentences } from "./plain-sentences.ts";

/** Another appearance of the same content. */
export type Edit = (text: string, random: SeededRandom) => string;

const LETTERS = "abcdefghijklmnopqrstuvwxyz".split("");

function misspell(word: string, random: SeededRandom): string {
  const at = random.between(0, word.length - 2);
  const [before, letter, next, after] = [word.slice(0, at), word[at] ?? "", word[at + 1] ?? "", word.slice(at + 2)];
  switch (random.between(0, 3)) {
    case 0:
      return before + next + letter + after;
    case 1:
      return before + next + after;
    case 2:
      return before + letter + letter + next + after;
    default:
      return before + random.pick(LETTERS) + next + after;
  }
}

const typosInWords: Edit = (text, random) => {
  const rate = 0.02 + 0.08 * random.next();
  return text.replaceAll(/\p{L}{4,}/gu, (word) => (random.next() < rate ? misspell(word, random) : word));
};

// Any character may be hit, blanks and digits too.
const typosAnywhere: Edit = (text, random) => {
  const rate = 0.005 + 0.01 * random.next();
  let out = "";
  for (let index = 0; index < text.length; index++) {
    const letter = text[index] ?? "";
    if (random.next() >= rate) out += letter;
    else if (random.next() < 0.3) out += (text[++index] ?? "") + letter;
    else if (random.next() < 0.5) out += random.pick(LETTERS);
  }
  return out;
};

const shuffledSentences: Edit = (text, random) => random.shuffled(plainSentences(text)).join(" ");

const movedBlock: Edit = (text, random) => {
  const sentences = plainSentences(text);
  const cut = random.between(1, Math.max(1, sentences.length - 1));
  return [...sentences.slice(cut), " ", ...sentences.slice(0, cut)].join("");
};

const HEADERS = [
  "This message was sent from an address that cannot receive replies. Please do not reply to it.",
  "Skip to main content\nHome | About | Products | Support | Log in",
  "*** EXTERNAL EMAIL: do not open links or attachments unless you know the sender ***",
  "View this email in your browser",
  "Advertisement",
  "We use cookies to improve your experience. By continuing you agree to our use of cookies.",
  "---------- Forwarded message ---------\nFrom: Jane Roe <jane@example.org>\nDate: Mon, 4 Mar 2024 at 09:12\nSubject: Fwd: for your records\nTo: team@example.org",
  "Document downloaded from the archive on 14 June 2023. For personal use only.",
];
const FOOTERS = [
  "Copyright 2023 Example Publishing Ltd. All rights reserved. No part of this publication may be reproduced without written permission.",
  "You are receiving this newsletter because you signed up at example.org. Unsubscribe at any time.",
  "CONFIDENTIALITY NOTICE: The contents of this email and any attachments are intended solely for the addressee. If you are not the intended recipient, delete it.",
  "Sent from my phone",
  "Share this article: Facebook | Twitter | LinkedIn",
  "Page 3 of 12",
  "For more information visit www.example.org or call our customer service.",
  "Terms of use - Privacy policy - Imprint - Contact us",
  "Best regards,\nThe Example Team",
  "Please consider the environment before printing this email.",
];

const boilerplate: Edit = (text, random) => {
  const parts = [text];
  if (random.next() < 0.6) parts.unshift(random.pick(HEADERS));
  if (parts.length === 1 || random.next() < 0.6) parts.push(random.pick(FOOTERS));
  return parts.join("\n\n");
};

const boilerplateInside: Edit = (text, random) => {
  const sentences = plainSentences(text);
  const at = random.between(0, sentences.length);
  return [
    ...sentences.slice(0, at),
    "\n\n",
    random.pick([...HEADERS, ...FOOTERS]),
    "\n\n",
    ...sentences.slice(at),
  ].join("");
};

const cutOff: Edit = (text, random) => {
  const kept = text.slice(0, Math.floor(text.length * (0.5 + 0.4 * random.next())));
  return random.next() < 0.5 ? `${kept}…` : kept;
};

const cutOffStart: Edit = (text, random) => text.slice(Math.floor(text.length * (0.1 + 0.3 * random.next())));

const otherCase: Edit = (text, random) =>
  random.pick([
    text.toUpperCase(),
    text.toLowerCase(),
    text.replaceAll(/\p{L}+/gu, (word) => word.charAt(0).toUpperCase() + word.slice(1)),
  ]);

const noPunctuation: Edit = (text, random) =>
  random.next() < 0.5 ? text.replaceAll(/[^\p{L}\p{N}\s]/gu, "") : text.replaceAll(/[^\p{L}\p{N}\s]/gu, " ");

const otherPunctuation: Edit = (text, random) =>
  text.replaceAll(/[,;:.](?=\s)/gu, (mark) => (random.next() < 0.4 ? random.pick([",", ";", " -", "...", ""]) : mark));

const otherBlanks: Edit = (text, random) => {
  const words = text.split(/\s+/);
  const blank = random.pick([" ", "  ", "\n", "\t", "\u00a0", "\n\n"]);
  return words
    .map((word) => word + (random.next() < 0.3 ? blank : " "))
    .join("")
    .trim();
};

const otherUnicode: Edit = (text) =>
  text.normalize("NFD").replaceAll("'", "’").replaceAll('"', "”").replaceAll("-", "‐");

const REMARKS = [
  "Thanks!",
  "FYI",
  "See below.",
  "Thanks, that helps a lot.",
  "Agreed.",
  "Could you have a look at this?",
  "+1",
];

const quotedReply: Edit = (text, random) => {
  const quoted = text
    .replaceAll(/(.{50,70}) /gu, "$1\n")
    .split("\n")
    .map((line) => `> ${line}`)
    .join("\n");
  const remark = random.pick(REMARKS);
  return random.pick([
    `${remark}\n\nOn Tue, 5 Mar 2024 at 10:21, John Doe <john@example.org> wrote:\n${quoted}`,
    `On 12/03/2023 08:15, mary wrote:\n${quoted}\n\n${remark}`,
    `${remark}\n\n-----Original Message-----\nFrom: John Doe\nSent: 5 March 2024 10:21\nTo: Jane Roe\nSubject: Re: notes\n\n${text}`,
  ]);
};

const SINGLE: Readonly<Record<string, Edit>> = {
  "typing errors in words": typosInWords,
  "typing errors anywhere": typosAnywhere,
  "shuffled sentences": shuffledSentences,
  "moved block": movedBlock,
  "boilerplate around": boilerplate,
  "boilerplate inside": boilerplateInside,
  "cut off": cutOff,
  "start cut off": cutOffStart,
  "other case": otherCase,
  "no punctuation": noPunctuation,
  "other punctuation": otherPunctuation,
  "other blanks": otherBlanks,
  "other Unicode form": otherUnicode,
  "quoted reply": quotedReply,
};

const twoEdits: Edit = (text, random) => {
  const [first, second] = random.shuffled(Object.values(SINGLE));
  return second?.(first?.(text, random) ?? text, random) ?? text;
};

/** Edits that leave the content as it is: what they make is a duplicate. */
export const SAME_CONTENT: Readonly<Record<string, Edit>> = { ...SINGLE, "two of these": twoEdits };
