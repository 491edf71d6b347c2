import type { TextToken } from "./tokens.ts";

function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(" "));
}

// Words that turn a statement round. Lower case, without apostrophes.
const POLAR = wordSet(
  "no not never none neither nor without cannot cant dont doesnt didnt isnt arent wasnt werent wont wouldnt shouldnt couldnt hasnt havent hadnt " +
    "approved rejected accepted refused denied granted confirmed cancelled canceled postponed passed failed won lost up down above below " +
    "increase increased increases decrease decreased decreases rose fell rise fall gain loss higher lower more less before after " +
    "true false yes yesterday today tomorrow open opened closed start started stop stopped begin end enabled disabled allowed forbidden " +
    "nicht kein keine keinen nie niemals ohne no nunca jamás sin ne pas jamais sans non mai senza não nem sem",
);
// Numbers and dates in letters, English, German, Spanish, French.
const NUMERAL = wordSet(
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty " +
    "fifty sixty seventy eighty ninety hundred thousand million billion trillion first second third fourth fifth half quarter double " +
    "january february march april may june july august september october november december " +
    "jan feb mar apr jun jul aug sep sept oct nov dec am pm " +
    "monday tuesday wednesday thursday friday saturday sunday mon tue wed thu fri sat sun " +
    "eins zwei drei vier fünf sechs sieben acht neun zehn januar februar märz mai juni juli oktober dezember " +
    "montag dienstag mittwoch donnerstag freitag samstag sonntag " +
    "uno dos tres cuatro cinco seis siete ocho nueve diez enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre " +
    "lunes martes miércoles jueves viernes sábado domingo " +
    "deux trois quatre cinq sept huit neuf dix janvier février mars avril juin juillet août septembre octobre novembre décembre " +
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
);

/** Whether the token is a word that turns a statement round when it is put in, left out or replaced. */
export function isPolar(token: TextToken): boolean {
  return POLAR.has(token.folded);
}

/** Whether `tokens[index]` carries a fact of its own: a number, amount, date, negation, or a name (a capital inside a sentence). */
export function isFact(text: string, tokens: readonly TextToken[], index: number): boolean {
  const token = tokens[index];
  if (token === undefined) return false;
  if (token.kind !== "word" || POLAR.has(token.folded) || NUMERAL.has(token.folded)) return true;
  if (!token.isCapitalised) return false;
  const previous = tokens[index - 1];
  return previous !== undefined && !/[.!?:\n]/.test(text.slice(previous.end, token.start));
}
