import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";

export interface NamedDetector {
  readonly name: string;
  /** ISO 639-1, or something else where it knows none. */
  readonly detect: (text: string) => string;
}

/** ISO 639-3 codes of some languages, for detectors that speak in them. */
const ISO_639_1: Readonly<Record<string, string>> = {
  deu: "de",
  eng: "en",
  fra: "fr",
  ita: "it",
  nld: "nl",
  por: "pt",
  spa: "es",
};

type Call = (text: string, ...rest: unknown[]) => unknown;
const callSchema = z.custom<Call>((value) => typeof value === "function");
const rankingSchema = z.array(z.tuple([z.string().nullable()]).rest(z.unknown()));
const firstOf = (ranking: unknown): string => rankingSchema.parse(ranking)[0]?.[0] ?? "";

interface Package {
  readonly name: string;
  readonly file: string;
  readonly bind: (module: unknown) => NamedDetector["detect"];
}

const tinyld = (size: string): Package => ({
  name: `tinyld ${size}`,
  file: `tinyld/dist/tinyld.${size}.node.mjs`,
  bind: (module) => {
    const { detect } = z.looseObject({ detect: callSchema }).parse(module);
    return (text) => String(detect(text));
  },
});
const eld = (size: string): Package => ({
  name: `eld/${size}`,
  file: `eld/src/entries/static.${size}.js`,
  bind: (module) => {
    const { eld: detector } = z.looseObject({ eld: z.looseObject({ detect: callSchema }) }).parse(module);
    return (text) => z.looseObject({ language: z.string() }).parse(detector.detect(text)).language;
  },
});

const PACKAGES: readonly Package[] = [
  ...["extrasmall", "small", "medium", "large"].map(eld),
  ...["light", "normal", "heavy"].map(tinyld),
  {
    name: "franc-min",
    file: "franc-min/index.js",
    bind: (module) => {
      const { franc } = z.looseObject({ franc: callSchema }).parse(module);
      return (text) => ISO_639_1[String(franc(text, { minLength: 3 }))] ?? "";
    },
  },
  {
    name: "lande",
    file: "lande/standalone/t50.js",
    bind: (module) => {
      const { default: lande } = z.looseObject({ default: callSchema }).parse(module);
      return (text) => ISO_639_1[firstOf(lande(text))] ?? "";
    },
  },
  {
    name: "languagedetect",
    file: "languagedetect/index.js",
    bind: (module) => {
      const constructed = z.custom<new () => object>((value) => typeof value === "function");
      const { default: LanguageDetect } = z.looseObject({ default: constructed }).parse(module);
      const detector = new LanguageDetect();
      const { detect, setLanguageType } = z
        .object({ detect: callSchema, setLanguageType: callSchema })
        .parse({ detect: Reflect.get(detector, "detect"), setLanguageType: Reflect.get(detector, "setLanguageType") });
      setLanguageType.call(detector, "iso2");
      return (text) => firstOf(detect.call(detector, text, 1));
    },
  },
];

/** Detectors of other packages, installed in `node_modules` below a folder; those that are not there are left out with a line that says so. */
export async function opponents(folder: string): Promise<NamedDetector[]> {
  const detectors: NamedDetector[] = [];
  for (const { name, file, bind } of PACKAGES) {
    try {
      const module: unknown = await import(pathToFileURL(join(folder, "node_modules", file)).href);
      detectors.push({ name, detect: bind(module) });
    } catch (cause) {
      console.log(`${name} is left out: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  return detectors;
}
