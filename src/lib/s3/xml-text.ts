/** The little XML that S3 speaks: elements without attributes that matter, nested two deep. No parser: nothing else is read from it. */

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

/** Contents of every element of a name, in order, still escaped. The name has letters only. */
export function xmlElements(xml: string, name: string): readonly string[] {
  const contents: string[] = [];
  const open = new RegExp(`<${name}(?:\\s[^<>]*)?>`, "g");
  const close = `</${name}>`;
  for (let match = open.exec(xml); match !== null; match = open.exec(xml)) {
    const end = xml.indexOf(close, open.lastIndex);
    if (end < 0) break;
    contents.push(xml.slice(open.lastIndex, end));
    open.lastIndex = end + close.length;
  }
  return contents;
}

/** Text of the first element of a name, or undefined. */
export function xmlText(xml: string, name: string): string | undefined {
  const content = xmlElements(xml, name)[0];
  return content?.replace(/&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w{2,4}));/g, (whole, hex, decimal, entity) => {
    if (typeof entity === "string") return ENTITIES[entity] ?? whole;
    const point = typeof hex === "string" ? Number.parseInt(hex, 16) : Number(decimal);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
}

/** A text as the content of an element. */
export function xmlEscaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
