/**
 * Texts whose vectors are kept when a model is registered, and made again every night. Kinds of text that a change of weights, tokenizer, pooling or
 * precision moves differently: short and long, names, numbers, code, other scripts, and pairs that are near and far in meaning. Part of a format:
 * another list is another set, with another name.
 */
export const GOLDEN_SET = "golden-1";

export const GOLDEN_TEXTS: readonly string[] = [
  "boat",
  "The boat leaves on Saturday morning.",
  "On Saturday the ferry departs before noon.",
  "Please cancel my subscription and refund the last invoice.",
  "Order 48213 was shipped on 2026-03-14 and weighs 2.75 kg.",
  "Ann Kowalski met Ben O'Neill at the harbour office in Bodø.",
  "Is the sea eagle still nesting near the fjord?",
  "No, it is not true that the meeting was moved to Thursday.",
  "export const sum = (xs) => xs.reduce((a, b) => a + b, 0);",
  "Der Vertrag endet am letzten Tag des Monats, sofern er nicht verlängert wird.",
  "La bibliothèque ferme à dix-neuf heures, sauf le dimanche.",
  "会議は来週の火曜日に延期されました。",
  "Встреча перенесена на следующую неделю.",
  "- milk\n- two loaves of bread\n- a bag of apples\n- batteries (AA)",
  "The committee reviewed the proposal for the new bridge over several months. It asked engineers about the load, residents about the noise and the " +
    "treasury about the cost. In the end it recommended a narrower design with a lane for bicycles, to be built in two stages so that traffic is never " +
    "stopped altogether.",
  "HTTP 503: upstream connect error or disconnect/reset before headers. retried and the latest reset reason: connection timeout",
];
