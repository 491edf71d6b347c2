/** Cuts a SQL file into its statements, since the server takes one at a time over HTTP. Pure. */
import { assert } from "../base/assert.ts";

/**
 * Statements of `sql` in order, without their semicolons and without surrounding space; what holds only comments is
 * left out. Knows '…' and E'…' strings, "…" names, $tag$…$tag$ bodies, -- and nested block comments; not `begin atomic`
 * bodies. Throws on an unfinished string, name, body or comment: a migration file is part of the program.
 */
export function splitStatements(sql: string): readonly string[] {
  const statements: string[] = [];
  let start = 0;
  let hasContent = false;
  let position = 0;
  const cut = (end: number): void => {
    if (hasContent) statements.push(sql.slice(start, end).trim());
    start = end + 1;
    hasContent = false;
  };
  while (position < sql.length) {
    const character = sql.charAt(position);
    const commentEnd = endOfComment(sql, position);
    if (commentEnd !== undefined) {
      position = commentEnd;
    } else if (character === ";") {
      cut(position);
      position += 1;
    } else {
      if (/\S/.test(character)) hasContent = true;
      position = endOfQuoted(sql, position) ?? position + 1;
    }
  }
  cut(sql.length);
  return statements;
}

function endOfComment(sql: string, position: number): number | undefined {
  if (sql.startsWith("--", position)) {
    const lineEnd = sql.indexOf("\n", position);
    return lineEnd === -1 ? sql.length : lineEnd;
  }
  if (!sql.startsWith("/*", position)) return undefined;
  let depth = 0;
  for (let at = position; at < sql.length; at += 1) {
    if (sql.startsWith("/*", at)) {
      depth += 1;
      at += 1;
    } else if (sql.startsWith("*/", at)) {
      depth -= 1;
      at += 1;
      if (depth === 0) return at + 1;
    }
  }
  return unfinished("comment");
}

/** Position behind the string, name or body that begins here, or undefined where none begins. */
function endOfQuoted(sql: string, position: number): number | undefined {
  const character = sql.charAt(position);
  if (character === '"') return endOfDelimited(sql, position, false);
  if (character === "'") return endOfDelimited(sql, position, isEscapeString(sql, position));
  if (character !== "$" || isNameCharacter(sql.charAt(position - 1))) return undefined;
  const tag = /^\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/u.exec(sql.slice(position, position + 66))?.[0];
  if (tag === undefined) return undefined;
  const end = sql.indexOf(tag, position + tag.length);
  return end === -1 ? unfinished("dollar-quoted body") : end + tag.length;
}

/** A doubled delimiter stands for itself and does not end the string. */
function endOfDelimited(sql: string, position: number, hasBackslashes: boolean): number {
  const delimiter = sql.charAt(position);
  for (let at = position + 1; at < sql.length; at += 1) {
    if (hasBackslashes && sql.charAt(at) === "\\") at += 1;
    else if (sql.charAt(at) === delimiter) {
      if (sql.charAt(at + 1) !== delimiter) return at + 1;
      at += 1;
    }
  }
  return unfinished("string or name");
}

function isEscapeString(sql: string, position: number): boolean {
  return /[eE]/.test(sql.charAt(position - 1)) && !isNameCharacter(sql.charAt(position - 2));
}

function isNameCharacter(character: string): boolean {
  return /[\p{L}\p{N}_$]/u.test(character);
}

function unfinished(what: string): never {
  assert(false, `a SQL file ends inside a ${what}`);
}
