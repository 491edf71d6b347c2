import { z } from "zod";

// The page's policy forbids code that is made from text, which zod would make to be faster. It looks when a schema is made: this comes before all of them.
z.config({ jitless: true });
