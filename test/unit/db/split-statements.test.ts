import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { splitStatements } from "../../../src/lib/db/split-statements.ts";

describe("splitStatements", () => {
  it("cuts at semicolons and leaves out what holds only space and comments", () => {
    expect(splitStatements("select 1;\n\nselect 2 ; -- the end;\n ;; /* nothing; */")).toEqual([
      "select 1",
      "select 2",
    ]);
    expect(splitStatements("-- only a comment")).toEqual([]);
    expect(splitStatements("")).toEqual([]);
  });

  it("keeps the comments that stand before a statement with it", () => {
    expect(splitStatements("-- why\nselect 1; /* b */ select 2")).toEqual(["-- why\nselect 1", "/* b */ select 2"]);
  });

  it("does not cut inside strings, names, bodies and comments", () => {
    const whole = [
      "select 'a;''b;'",
      String.raw`select e'it\';s', 'back\'`,
      'select ";""; name"',
      "do $$ begin; end; $$",
      "do $body$ select '$$;' ; $other$ $body$",
      "select 1 /* ; /* nested; */ ; */ + 1",
      "select 1 -- ;\n + 1",
      "select a$1$b, $1, $2",
      "create function f() returns text language sql as $fn$ select ';' $fn$",
    ];
    expect(splitStatements(whole.join(";\n"))).toEqual(whole);
  });

  it("gives back any list of statements it was given", () => {
    const piece = fc.constantFrom(
      "select 1",
      "'a;b'",
      '"c;d"',
      "$$ e;f $$",
      "$t$ ;$$; $t$",
      "/* ; */ 2",
      "e'\\';'",
      "x$y",
    );
    const one = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(" "));
    fc.assert(
      fc.property(fc.array(one, { maxLength: 6 }), (statements) => {
        expect(splitStatements(statements.map((each) => `${each};\n`).join(""))).toEqual(statements);
      }),
    );
  });

  it("throws on a file that ends inside a string, a name, a body or a comment", () => {
    for (const text of ["select 'a", 'select "a', "do $$ a", "select 1 /* /* */", String.raw`select e'\'`]) {
      expect(() => splitStatements(text)).toThrow("ends inside");
    }
  });
});
