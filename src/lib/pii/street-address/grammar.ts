import { STREET_ENDING, STREET_KIND_AFTER, STREET_KIND_BEFORE, UNIT_KIND } from "./vocabulary.ts";

const NUMBER = "\\d{1,5}[a-h]?(?![\\p{L}\\d])";
const WORD =
  "(?!(?:and|or|is|are|was|in|on|to|for|with|from|near|by|than|of the)(?!\\p{L}))\\p{L}[\\p{L}\\p{M}'’.∆-]{0,24}";
const GAP = "[ \\t]{1,2}";
const KIND_AFTER = `(?:${STREET_KIND_AFTER})(?!\\p{L})\\.?`;
const KIND_BEFORE = `(?:${STREET_KIND_BEFORE})\\.?`;

/** A place in letters: up to five words, "St Georges", "Cyprus (Greek)", "ΛΕΥΚΩΣΙΑ". */
const PLACE = `\\p{Lu}[\\p{L}\\p{M}'’.∆-]{0,30}(?:[ ](?:\\p{Lu}|d[eoai][slu]?\\b|v[ao]n\\b|nad\\b|na\\b|u\\b|v\\b|pod\\b|la\\b|el\\b|of\\b)[\\p{L}\\p{M}'’.∆-]{0,30}){0,4}(?:[ ]\\(\\p{L}{2,12}(?:[ ]\\([\\p{L} ]{2,30})?\\))?`;
const POSTCODE =
  "(?:\\d{4,6}(?:-\\d{3,4})?|\\d{3} \\d{2}|[A-Z]{1,2}\\d[A-Z\\d]? \\d[A-Z]{2}|\\d{4} [A-Z]{2})(?![\\p{L}\\d-])";

const ENGLISH_KIND =
  "(?:Street|Road|Avenue|Lane|Drive|Court|Place|Square|Boulevard|Way|Terrace|Close|Crescent|Parade|Highway|Parkway|Trail|Row|Mews|Quay|Garden|Grove|" +
  "Route|Alley|Circle|Loop|Pass|Path|Pike|Plaza|Ridge|Height|Hill|Cliff|Island|Forge|Flat|Gateway|Extension|Park|Walk|Bypass|Causeway|Crossing|Turnpike|" +
  "Union|Summit|Prairie|Point|Rapid|Dam|Harbor|Cove|Spring|Bridge|Village|View|Valley|Station|Meadow|Manor|Lake|Landing|Junction|Isle|Haven|Glen|Fort|" +
  "Field|Estate|Creek|Corner|Camp|Brook|Branch|Bend|Bay|Center|Centre|Port|River|Shore|Stream|Track|Trace|Tunnel|Vista|Well)s?";
const CORNER_STREET =
  "(?:\\d{1,5}[ ])?(?:[\\p{L}][\\p{L}\\p{M}'’.-]{0,24}[ ]){0,4}\\p{Lu}[\\p{L}\\p{M}'’-]{1,24}(?:[ ]\\d{1,5}\\.?|\\.(?=[ ]and))?";

/** Kind, name and number in the ways that languages order them; a leading number is read apart. Flags i, u, y. */
export const STREET_AFTER_NUMBER: readonly RegExp[] = [
  // "Bay Street", "Hoog St.", "Erzsébet tér 19."
  `(?:${WORD}${GAP}){1,4}?${KIND_AFTER}(?:${GAP}${NUMBER}\\.?(?!\\d))?`,
  // "Rue Al Imam Al Bakri", "Via Roma 131"
  `${KIND_BEFORE}${GAP}(?:${WORD}${GAP}){0,4}?(?:${WORD})(?:,?${GAP}${NUMBER}\\.?|(?=\\s{0,2}[,\\n.?!]|$|${GAP}(?:${UNIT_KIND})\\b))`,
  // "Koskikatu 25", "Jana Nerudy 894"
  `(?:${WORD}${GAP}){0,4}?${WORD}${GAP}${NUMBER}\\.?`,
].map((source) => new RegExp(source, "iuy"));

/** Streets that need no number before them. The words are capitalised, so that "by the way 2" is none. Flags g and u. */
export const STREET_ALONE: readonly RegExp[] = [
  // "Villacher Strasse 89", "Bay Street"
  `(?<![\\p{L}\\d])(?:\\p{Lu}[\\p{L}\\p{M}'’.-]{0,24}[ ]){1,4}(?:${STREET_KIND_AFTER})(?!\\p{L})\\.?[ ]${NUMBER}\\.?`,
  `(?<![\\p{L}\\d])(?:\\p{Lu}[\\p{L}\\p{M}'’.-]{1,24}[ ]){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Drive|Boulevard|Blvd|Square|Terrace|Crescent)\\b\\.?`,
  // "Via Roma 131", "ul. Miła 53"
  `(?<![\\p{L}\\d])(?:Via|Viale|Vicolo|Piazza|Piazzetta|Corso|Rua|Rúa|R\\.|Avenida|Avda\\.?|Av\\.|Travessa|Praça|Calle|C/|Plaza|Paseo|Carrera|Rue|Avenue|Boulevard|Chemin|[Uu]l\\.|[Uu]lica|Trg)[ ](?:[\\p{L}\\p{M}'’.-]{1,24}[ ]){0,4}?[\\p{L}\\p{M}'’.-]{1,24},?[ ]${NUMBER}\\.?`,
  // "Mellemvej 32"
  `(?<![\\p{L}\\d])(?:\\p{Lu}[\\p{L}\\p{M}'’.-]{0,24}[ ]){0,2}\\p{Lu}[\\p{L}\\p{M}-]{2,24}(?:${STREET_ENDING})\\.?[ ]${NUMBER}`,
].map((source) => new RegExp(source, "gu"));

/** What may follow a street's kind: "West", or a second name with its kind. Flags u and y. */
export const STREET_EXTENSION = new RegExp(
  `[ ](?:(?:North|South|East|West|[NS][EW]?|[EW])(?!\\p{L})|(?:\\p{Lu}[\\p{L}\\p{M}'’-]{1,24}[ ]){1,3}(?:${ENGLISH_KIND})(?!\\p{L}))`,
  "uy",
);
/** A unit's kind right before a number. */
export const UNIT_BEFORE = new RegExp(`(?<!\\p{L})(?:${UNIT_KIND})\\.?[ ]?#?$`, "iu");
/** "the corner of Bay Street and 12 Elm Road". Flags g and u. */
export const CORNER = new RegExp(`(?:[Tt]he )?\\b[Cc]orner of (?:${CORNER_STREET}) and (?:${CORNER_STREET})`, "gu");

/** A number at the head of an address. Flags g and u. */
export const HEAD_NUMBER = /(?<![\p{L}\d.,:/+#$€£%(-]|\d[ -])\d{1,5}[a-z]?(?=[ \t]{1,2}[\p{L}\d])/giu;
export const SECOND_NUMBER = new RegExp(`${GAP}(${NUMBER})(?=${GAP}\\p{L})`, "iuy");

/** Post boxes, military addresses of the United States among them (USPS Publication 28, 238). Flags g, i and u. */
export const BOX = new RegExp(
  `(?<![\\p{L}\\d])(?:p\\.? ?o\\.? ?box${GAP}\\d{1,6}|postbox${GAP}\\d{1,6}|(?:psc|cmr|unit)${GAP}\\d{1,6},?${GAP}box${GAP}\\d{1,6}|(?:usns|uscgc|usnv|uss)${GAP}\\p{L}[\\p{L}\\p{M}-]{1,24}(?=\\s{1,3}[ad]?f?po\\b))`,
  "giu",
);

/** What may part the pieces of an address: a comma, blanks, a line break with the marks of a quoted message. */
const BREAK = "(?:[ \\t]{0,2},?[ \\t]{0,2}\\n{0,2}[ \\t]{0,6}[>?]{0,3}[ \\t]{0,2},?[ \\t]{0,2})";

/** The next unit, with the break before it in group 1. Flags d, i, u and y. */
export const UNIT_NEXT = new RegExp(`(${BREAK})(?:${UNIT_KIND})\\.?${GAP}?#?\\d{1,5}[a-z]?(?![\\p{L}\\d])`, "diuy");
/** The next post box, as `UNIT_NEXT`. */
export const BOX_NEXT = new RegExp(`${GAP}(?:p\\.? ?o\\.? ?box|postbox)${GAP}\\d{1,6}`, "iuy");
/** The next place, state or postal code; groups: break, military post, state, postal code, place. Flags d, u and y. */
export const LOCALITY_NEXT = new RegExp(
  `(${BREAK})(?:((?:[AFD]PO|[afd]po)[ ][Aa][AaEePp][ ]\\d{5})|([A-Z]{2}|nan|(?<=,[ ])\\d{2})(?=\\s|$|[,.?])|(${POSTCODE})|(${PLACE}))(?![\\p{L}\\d:@])`,
  "duy",
);
