/** Shapes of text that a memory keeps by right and that filters made for web pages throw away. Real ones: in use, or in the public domain. */

const PROGRAM = `import { createHash } from "node:crypto";

export function digestOf(parts) {
  const hash = createHash("sha256");
  for (const part of parts) {
    hash.update(part);
    hash.update("\\0");
  }
  return hash.digest("hex");
}

export function sizeOf(parts) {
  let size = 0;
  for (const part of parts) {
    size += part.length + 1;
  }
  return size;
}

export function isEmpty(parts) {
  return parts.length === 0;
}
`;

const STYLESHEET = `.card {
  display: flex;
  margin: 0;
  padding: 0;
}
.card > .title {
  margin: 0;
  padding: 0;
  color: #333;
}
.card > .body {
  margin: 0;
  padding: 0;
  color: #666;
}
.card > .foot {
  margin: 0;
  padding: 0;
  color: #999;
}
`;

const SHELL_SCRIPT = `#!/bin/sh
# Makes a backup of the home folder.
# Usage: backup.sh TARGET
set -eu
# The target must exist.
target="$1"
# Yesterday's backup is kept.
if [ -d "$target/today" ]; then
  rm -rf "$target/yesterday"
  mv "$target/today" "$target/yesterday"
fi
# Now copy.
cp -a "$HOME" "$target/today"
# And say so.
echo "done: $target/today"
`;

const JSON_FILE = JSON.stringify(
  {
    name: "weather-station",
    stations: ["north", "south", "east", "west"].map((name, index) => ({
      name,
      height_m: 120 + index,
      sensors: [
        { kind: "temperature", unit: "celsius", interval_s: 60 },
        { kind: "pressure", unit: "hectopascal", interval_s: 60 },
      ],
    })),
  },
  null,
  2,
);

const CSV = `date,station,minimum,maximum,rain
${Array.from({ length: 40 }, (_, day) => `2025-03-${String((day % 31) + 1).padStart(2, "0")},north,${(day * 7) % 11}.5,${12 + (day % 9)}.0,${(day * 3) % 8}.2`).join("\n")}
`;

const MARKDOWN_TABLE = `| planet  | mass (10^24 kg) | diameter (km) | day (h) | moons |
| ------- | --------------- | ------------- | ------- | ----- |
| Mercury | 0.330           | 4879          | 4222.6  | 0     |
| Venus   | 4.87            | 12104         | 2802.0  | 0     |
| Earth   | 5.97            | 12756         | 24.0    | 1     |
| Mars    | 0.642           | 6792          | 24.7    | 2     |
| Jupiter | 1898            | 142984        | 9.9     | 95    |
| Saturn  | 568             | 120536        | 10.7    | 146   |
| Uranus  | 86.8            | 51118         | 17.2    | 28    |
| Neptune | 102             | 49528         | 16.1    | 16    |
`;

const SHOPPING_LIST = `Saturday
- milk
- bread
- eggs
- butter
- coffee
- rice
- onions
- garlic
- olive oil
- tomatoes
- lemons
- salt
- flour
- yeast
- honey
- apples
- pears
- cheese
- yoghurt
- paper towels
- soap
- batteries
- light bulbs
`;

const CHECKLIST = `Release 2.4
* [x] changelog
* [x] version
* [ ] migration on staging
* [ ] load test
* [ ] rollback plan
* [ ] note to support
* [ ] tag
* [ ] deploy eu-west
* [ ] deploy us-east
* [ ] deploy ap-south
* [ ] watch for an hour
* [ ] close the ticket
* [ ] delete the branch
* [ ] update the board
* [ ] thank the testers
* [ ] plan 2.5
* [ ] archive logs
* [ ] rotate the key
* [ ] check costs
* [ ] lunch
`;

// Lear, 1871.
const POEM = `The Owl and the Pussy-cat went to sea
   In a beautiful pea-green boat,
They took some honey, and plenty of money,
   Wrapped up in a five-pound note.
The Owl looked up to the stars above,
   And sang to a small guitar,
"O lovely Pussy! O Pussy, my love,
    What a beautiful Pussy you are,
         You are,
         You are!
What a beautiful Pussy you are!"
`;

// A song of the eighteenth century: nearly every line has been sung before.
const CUMULATIVE_SONG = ((gifts) =>
  gifts
    .map(
      (_, day) =>
        `On the ${["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"][day]} day of Christmas\nmy true love sent to me\n${gifts
          .slice(0, day + 1)
          .toReversed()
          .join("\n")}`,
    )
    .join("\n\n"))([
  "and a partridge in a pear tree.",
  "two turtle doves",
  "three French hens",
  "four calling birds",
  "five gold rings",
  "six geese a-laying",
  "seven swans a-swimming",
  "eight maids a-milking",
]);

const ROUND =
  "Row, row, row your boat,\nGently down the stream.\nMerrily, merrily, merrily, merrily,\nLife is but a dream.\n".repeat(
    4,
  );

const CHAT = `Ana: hey
Ben: hey hey
Ana: you there tomorrow?
Ben: yes... maybe
Ana: ???
Ben: train...
Ana: lol
Ben: 12:40 or 13:10
Ana: ok
Ben: ok
Ana: bring the thing
Ben: which thing
Ana: THE thing
Ben: ahhh ok
Ana: 😂😂😂
Ben: ok
Ana: ok
Ben: ok bye
Ana: bye
Ben: bye
Ana: bye!!
`;

const LOG = Array.from(
  { length: 40 },
  (_, second) =>
    `2025-11-03T08:00:${String(second).padStart(2, "0")}Z INFO worker-${second % 3} request done status=200 duration_ms=${(second * 37) % 90} path=/v1/items/${second * 7}`,
).join("\n");

const STACK_TRACE = `TypeError: Cannot read properties of undefined (reading 'length')
    at parseHeader (/srv/app/src/header.js:41:17)
    at parseFrame (/srv/app/src/frame.js:88:10)
    at Reader.next (/srv/app/src/reader.js:120:14)
    at Reader.next (/srv/app/src/reader.js:131:14)
    at Reader.next (/srv/app/src/reader.js:131:14)
    at drain (/srv/app/src/drain.js:22:9)
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)
`;

const LINKS = `Reading list
https://www.rfc-editor.org/rfc/rfc8259
https://www.rfc-editor.org/rfc/rfc5322
https://www.rfc-editor.org/rfc/rfc9110
https://unicode.org/reports/tr29/
https://www.postgresql.org/docs/current/ddl-rowsecurity.html
https://developers.cloudflare.com/queues/platform/limits/
`;

const PRIVACY_NOTE = `Decision of Tuesday: we rewrite the privacy policy.
The lawyer sends a draft on Friday.
Marketing must say by then whether the site still uses cookies.
If not, the cookie banner goes.
Support tells customers in March.
`;

const SHOUTED_NOTE =
  "CALL THE DENTIST BEFORE NINE. ASK FOR DR WEBER, NOT DR WEBERS. BRING THE OLD X-RAYS AND THE INSURANCE CARD.";

const RECIPE = `Pancakes

250 g flour
500 ml milk
4 eggs
1 pinch of salt
50 g butter

Mix flour, milk, eggs and salt. Let it rest for half an hour.
Melt a little butter in a pan. Pour in a ladle of batter. Turn it when the edge is brown.
`;

export const LEGITIMATE_TEXTS: readonly (readonly [name: string, text: string])[] = [
  ["a program", PROGRAM],
  ["a style sheet", STYLESHEET],
  ["a commented shell script", SHELL_SCRIPT],
  ["a JSON file", JSON_FILE],
  ["a CSV file", CSV],
  ["a Markdown table", MARKDOWN_TABLE],
  ["a shopping list", SHOPPING_LIST],
  ["a checklist", CHECKLIST],
  ["a poem", POEM],
  ["a cumulative song", CUMULATIVE_SONG],
  ["a round", ROUND],
  ["a chat", CHAT],
  ["a log", LOG],
  ["a stack trace", STACK_TRACE],
  ["a list of links", LINKS],
  ["a note about a privacy policy", PRIVACY_NOTE],
  ["a note in capitals", SHOUTED_NOTE],
  ["a recipe", RECIPE],
];
