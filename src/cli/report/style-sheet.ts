/** Style of a report page: light and dark, from 320 pixels up, printable. No font, image or script from anywhere. */
export const STYLE_SHEET = `
:root{color-scheme:light dark;--page:#f4f5f7;--card:#fff;--ink:#18212c;--soft:#5b6776;--line:#e2e6eb;--faint:#eef1f4;
--accepted:#12805f;--relaxed:#79c3a5;--duplicate:#5f83bb;--quarantined:#d99422;--rejected:#c24a3f;--neutral:#7d8896;--heat:194,74,63}
@media (prefers-color-scheme:dark){:root{--page:#11161c;--card:#1a2129;--ink:#e7ecf2;--soft:#98a5b3;--line:#2b3540;--faint:#232c36;
--accepted:#35a67f;--relaxed:#8fd6b8;--duplicate:#7f9fd0;--quarantined:#e0a43f;--rejected:#dd6b5f;--neutral:#8c98a6;--heat:221,107,95}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",sans-serif;
font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
main{max-width:1180px;margin:0 auto;padding:40px 24px 56px}
header h1{margin:0;font-size:28px;line-height:1.2;letter-spacing:-.02em;font-weight:650}
header p{margin:6px 0 0;color:var(--soft);overflow-wrap:anywhere}
header .summary{margin-top:14px;font-size:17px;color:var(--ink);max-width:72ch}
.columns{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 16px;align-items:start}
.card{margin-top:16px;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:20px 22px;min-width:0}
.card h2{margin:0;font-size:15px;font-weight:620}
.card h2+p,.note{margin:2px 0 0;color:var(--soft);font-size:13px}
.body{margin-top:16px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:16px;margin-top:28px}
.tile{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:16px 18px}
.tile b{display:block;font-size:26px;line-height:1.2;font-weight:640;letter-spacing:-.02em}
.tile span{display:block;color:var(--soft);font-size:13px}
.stack{display:flex;gap:2px;height:12px;border-radius:6px;overflow:hidden;background:var(--faint)}
.stack i{display:block;min-width:3px}
.tall .stack{height:26px;border-radius:8px}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;margin:14px 0 0;padding:0;list-style:none;font-size:14px}
.legend li{display:flex;align-items:center;gap:8px}
.legend i{width:11px;height:11px;border-radius:3px}
.legend span{color:var(--soft)}
.fill-accepted{background:var(--accepted)}.fill-relaxed{background:var(--relaxed)}.fill-duplicate{background:var(--duplicate)}
.fill-quarantined{background:var(--quarantined)}.fill-rejected{background:var(--rejected)}.fill-neutral{background:var(--neutral)}
.scroll{overflow-x:auto;margin:0 -22px;padding:0 22px}
table{border-collapse:collapse;width:100%;font-size:14px}
th{font-weight:500;color:var(--soft);font-size:13px;text-align:left;white-space:nowrap;padding:0 14px 8px 0}
td{padding:9px 14px 9px 0;border-top:1px solid var(--line);vertical-align:middle}
th:last-child,td:last-child{padding-right:0}
.number{text-align:right;white-space:nowrap}
.wide{width:38%;min-width:130px}
.name{overflow-wrap:anywhere;min-width:110px}
.name small{color:var(--soft);margin-left:6px}
.bars{display:grid;gap:9px;font-size:14px}
.bar{display:grid;grid-template-columns:minmax(0,13.2em) 1fr 4.2em;gap:0 12px;align-items:center}
.bar .label{overflow-wrap:anywhere;min-width:0}
.bar .label small{display:block;color:var(--soft);font-size:12px;line-height:1.3}
.bar .track{height:10px;border-radius:5px;background:var(--faint)}
.bar .track i{display:block;height:100%;border-radius:5px;min-width:3px}
svg{display:block;width:100%;max-width:560px;height:auto;margin:0 auto}
.tick{fill:var(--soft);font-size:14px}.value{fill:#fff;font-size:14px;font-weight:600}
.axis{stroke:var(--line);stroke-width:1}.target{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:5 4;opacity:.7}
.svg-accepted{fill:var(--accepted)}.svg-relaxed{fill:var(--relaxed)}.svg-other{fill:var(--quarantined)}
.hit{fill:transparent}.untaken rect{fill:var(--faint)}.untaken .tick{opacity:.55}
.heat{width:auto}.heat th,.heat td{padding:7px 10px}
.heat th:first-child,.heat td:first-child{padding-left:0;position:sticky;left:0;background:var(--card);max-width:210px;overflow-wrap:anywhere}
.heat .cell{text-align:right;border-radius:0;min-width:58px}
.badge{display:inline-block;padding:1px 9px;border-radius:99px;font-size:12px;font-weight:600;border:1px solid currentColor}
.badge.drifted{color:var(--rejected)}.badge.steady{color:var(--accepted)}.badge.too_few{color:var(--soft)}
.paths{margin-top:6px;color:var(--soft);font-size:13px}.top{vertical-align:top}
.empty-note{color:var(--soft);margin:0}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(170px,1fr));gap:12px 20px;margin:0;font-size:14px}
dt{color:var(--soft);font-size:13px}dd{margin:0;overflow-wrap:anywhere}
@media (max-width:820px){.columns{grid-template-columns:minmax(0,1fr)}}
@media (max-width:520px){main{padding:24px 14px 40px}.card{padding:16px}.scroll{margin:0 -16px;padding:0 16px}header h1{font-size:23px}
header .summary{font-size:16px}.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:10px}.tile{padding:12px 14px}.tile b{font-size:21px}
.bars{gap:14px}.bar{grid-template-columns:1fr max-content;gap:5px 12px}.bar .track{grid-row:2;grid-column:1/-1}
.tile:last-child:nth-child(odd){grid-column:span 2}.bar .label small{display:inline;margin-left:6px}.wide{min-width:84px}.name{min-width:92px}.name small{display:block;margin:0}.optional{display:none}}
@media print{body{background:#fff}.card,.tile{break-inside:avoid}main{padding:0}}
`;
