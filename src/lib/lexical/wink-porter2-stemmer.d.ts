declare module "wink-porter2-stemmer" {
  /** Stem of a lower-case word by the English Snowball algorithm ("Porter 2"). */
  export default function stem(word: string): string;
}
