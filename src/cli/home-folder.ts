import { join } from "node:path";
import { PROJECT_FOLDER } from "./project-folder.ts";

/** One ignored folder for everything that is not the checkout's: data, weights, progress of interrupted commands. */
export const HOME_FOLDER = process.env["JEEVES_HOME"] ?? join(PROJECT_FOLDER, ".jeeves");
