// oxlint-disable-next-line import/no-unassigned-import -- it has to come before the modules that make schemas
import "./without-eval.ts";
import { render } from "preact";
import { App } from "./app.tsx";

const root = document.querySelector("#app");
if (root !== null) render(<App />, root);
