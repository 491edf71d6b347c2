import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Root of the checkout. */
export const PROJECT_FOLDER = resolve(dirname(fileURLToPath(import.meta.url)), "..", "..");
