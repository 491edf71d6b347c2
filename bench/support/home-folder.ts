import { join } from "node:path";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";

/** Where `make` keeps weights, unpacked servers and the opponents' packages. */
export const HOME_FOLDER = process.env["JEEVES_HOME"] ?? join(PROJECT_FOLDER, ".jeeves");
