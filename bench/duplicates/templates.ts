import type { SeededRandom } from "../../test/support/seeded-random.ts";

const PEOPLE = [
  "Maria Sousa",
  "Jeff Baker",
  "Anna Nowak",
  "Tom Eriksen",
  "Lucia Ferri",
  "Omar Haddad",
  "Mei Tanaka",
  "Paul Weiss",
  "Ines Costa",
  "Ravi Menon",
];
const PLACES = ["Lisbon", "Oslo", "Denver", "Nairobi", "Osaka", "Lyon", "Gdansk", "Perth", "Quito", "Leeds"];
const COMPANIES = [
  "Northwind",
  "Acme Tools",
  "Bluefield",
  "Contoso",
  "Harbour Freight",
  "Sunrise Foods",
  "Kestrel Air",
  "Lumen Labs",
];
const MONTHS = ["January", "February", "April", "May", "July", "August", "October", "November"];
const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"];
const PRODUCTS = [
  "espresso machine",
  "garden hose",
  "desk lamp",
  "rain jacket",
  "bicycle pump",
  "tea kettle",
  "hiking boots",
  "office chair",
];
const STATES = ["approved", "declined", "postponed", "withdrawn", "shipped", "returned"];

/** Facts are written {person}, {place}, {company}, {month}, {day}, {product}, {state}, {n} (2 digits), {amount}, {code}. */
const TEMPLATES = [
  "Dear {person}, your order {code} of {n} {product} units was {state} on {n} {month}. The amount of {amount} euros will be charged to the account of {company}. Our warehouse in {place} prepares the parcel, which leaves on {day}. If you have questions, call {n} {n} {n} and mention the order number.",
  "Minutes of the weekly call, {day}, {n} {month}. Present: {person} and {person}. The request of {company} was {state}. {person} reports that the office in {place} has {n} open tickets. The next call takes place on {day} at {n} minutes past the hour, as always in the small meeting room.",
  "Incident report {code}. On {n} {month} at {n}:{n} the service in {place} stopped answering for {n} minutes. {person} restarted the database node and confirmed that no data was lost. The cause was a full disk on host {code}. A follow-up with {company} is planned for {day}.",
  "Weather bulletin for {place}: on {day} the temperature reaches {n} degrees with winds of {n} kilometres an hour from the coast. In {month} the average rainfall was {n} millimetres. The authorities advise drivers to be careful on wet roads, and to follow the local radio station for further announcements during the day.",
  "{company} announced results for the quarter that ended in {month}. Revenue was {amount} million dollars, after {amount} million in the same quarter of the year before. Chief executive {person} said that the plant in {place} now produces {n} thousand units a day. The dividend proposal was {state} by the board on {day}.",
  "Hi {person}, the viewing of the flat in {place} is on {day} at {n} past noon. The rent is {amount} euros a month, heating included, and the deposit is {n} hundred. The owner, {person}, wants a contract of at least {n} months from {month} on. Please bring an identity card and your last three pay slips.",
  "Patient visit note. Seen on {n} {month} by {person}. Blood pressure {n} over {n}, weight {n} kilograms, temperature normal. The referral to the clinic in {place} was {state}. Continue with {n} milligrams in the morning, control in {n} weeks. The patient was told to come back at once if the symptoms get worse.",
  "Match report: {place} beat {place} by {n} to {n} on {day} evening. {person} scored in minute {n} and {person} was sent off after the break. The {company} arena was sold out with {n} thousand people. The return match in {month} decides who goes to the final, the referees are not named yet.",
];

function fill(kind: string, random: SeededRandom): string {
  switch (kind) {
    case "person":
      return random.pick(PEOPLE);
    case "place":
      return random.pick(PLACES);
    case "company":
      return random.pick(COMPANIES);
    case "month":
      return random.pick(MONTHS);
    case "day":
      return random.pick(DAYS);
    case "product":
      return random.pick(PRODUCTS);
    case "state":
      return random.pick(STATES);
    case "amount":
      return `${random.between(1, 9)},${random.between(100, 999)}.${random.between(10, 99)}`;
    case "code":
      return `${random.pick(["A", "B", "C", "D", "E", "F"])}${random.between(10000, 99999)}`;
    default:
      return String(random.between(10, 99));
  }
}

/** A text made of a template, and another in which `1..all` of its facts differ. */
export function templatePair(random: SeededRandom): { readonly text: string; readonly other: string } {
  const pieces = random.pick(TEMPLATES).split(/\{(\w+)\}/);
  const slots = pieces.filter((_, index) => index % 2 === 1);
  const facts = slots.map((kind) => fill(kind, random));
  const changed = new Set(random.shuffled([...slots.keys()]).slice(0, random.between(1, slots.length)));
  const otherFacts = slots.map((kind, slot) => {
    let fact = facts[slot] ?? "";
    while (changed.has(slot) && fact === facts[slot]) fact = fill(kind, random);
    return fact;
  });
  const write = (list: readonly string[]): string =>
    pieces.map((piece, index) => (index % 2 === 1 ? list[(index - 1) / 2] : piece)).join("");
  return { text: write(facts), other: write(otherFacts) };
}
