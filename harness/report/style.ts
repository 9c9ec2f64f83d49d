/**
 * How a page looks: light, dark, on paper and on a phone. Colours are those of Okabe and Ito, which people with any colour vision
 * tell apart, darkened where they would be too faint on white; each comes with a dash pattern or a hatch of its own.
 */

import type { Markup } from './markup.ts';
import { html } from './markup.ts';

/** Curves: colour on white, colour on black, dash pattern. */
const LOOKS: readonly (readonly [light: string, dark: string, dash: string, width: number])[] = [
  ['#0072b2', '#56b4e9', '', 2.2],
  ['#00795a', '#2fc69a', '7 3', 1.8],
  ['#8a8f98', '#7d8590', '1.5 3', 1.6],
  ['#c04a00', '#f0883e', '9 3 2 3', 2],
  ['#a3517c', '#dd8fb8', '', 2],
  ['#8a6500', '#e6b93f', '5 3', 1.8],
  ['#4b5563', '#b6bec9', '3 3', 1.5],
  ['#1f4e9c', '#9db8f2', '10 2 2 2 2 2', 1.8],
];

/** Layers: colour on white, colour on black, and the hatch, drawn in a square of 8 pixels. */
const FILLS: readonly (readonly [light: string, dark: string, hatch: string])[] = [
  ['#d55e00', '#f0883e', ''],
  ['#0072b2', '#56b4e9', 'M0 8L8 0M-2 2L2 -2M6 10L10 6'],
  ['#a3517c', '#dd8fb8', 'M0 0L8 8M-2 6L2 10M6 -2L10 2'],
  ['#00795a', '#2fc69a', 'M0 4H8'],
  ['#8a6500', '#e6b93f', 'M4 0V8'],
  ['#4b5563', '#b6bec9', 'M0 4H8M4 0V8'],
  ['#1f4e9c', '#9db8f2', 'M0 0L8 8M0 8L8 0'],
];

const variables = (shade: 0 | 1) => [...LOOKS.map((look, i) => `--k${i}:${look[shade]};`), ...FILLS.map((fill, i) => `--f${i}:${fill[shade]};`)].join('');

const LIGHT = `color-scheme:light;--page:#fff;--panel:#f7f8f9;--ink:#17191c;--soft:#555c66;--rule:#dcdfe4;--grid:#e8eaed;--good:#00694d;--alarm:#b3261e;--unclear:#7a5600;--quiet:#555c66;--band:#c8860a;--moment:#00694d;--hatch:rgb(200 134 10/.30);--veil:rgb(200 134 10/.16);--edge:rgb(110 118 129/.35);${variables(0)}`;
const DARK = `color-scheme:dark;--page:#0f1216;--panel:#171b21;--ink:#e9ecf0;--soft:#a4acb8;--rule:#2d333c;--grid:#232932;--good:#3ecf9f;--alarm:#ff8a7a;--unclear:#e6b93f;--quiet:#a4acb8;--band:#e6b93f;--moment:#3ecf9f;--hatch:rgb(230 185 63/.26);--veil:rgb(230 185 63/.13);--edge:rgb(164 172 184/.30);${variables(1)}`;

const LAYOUT = `
*{box-sizing:border-box}
html{background:var(--page);-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:1120px;padding:40px 32px 72px;color:var(--ink);background:var(--page);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
h1,h2,h3,p,figure,dl,dd,ul,ol{margin:0}
h1{font-size:1.9rem;line-height:1.2;letter-spacing:-.015em;font-weight:650}
h1 span{color:var(--soft);font-weight:400}
h2{font-size:1.3rem;letter-spacing:-.01em;margin:56px 0 6px;font-weight:650}
h3{font-size:1rem;font-weight:650}
h2+p{color:var(--soft);max-width:72ch}
a{color:inherit;text-underline-offset:3px}
code,pre{font:.875rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
pre{background:var(--panel);border:1px solid var(--rule);border-radius:8px;padding:12px 16px;overflow-x:auto;margin:8px 0 0}
.eyebrow{color:var(--soft);font-size:.8125rem;letter-spacing:.04em;margin-bottom:6px}
.story{color:var(--soft);max-width:72ch;margin-top:8px}
.verdict{display:flex;gap:20px;align-items:flex-start;margin:26px 0 0;padding:22px 24px;border:1px solid var(--rule);border-left:6px solid var(--tone);border-radius:10px;background:var(--panel)}
.verdict .sign{flex:none;width:46px;height:46px;border-radius:50%;border:2px solid var(--tone);color:var(--tone);font-size:25px;line-height:42px;text-align:center;font-weight:700}
.verdict .word{color:var(--tone);font-weight:650;font-size:.9375rem}
.verdict .headline{font-size:1.25rem;line-height:1.4;letter-spacing:-.005em}
.verdict ul{margin:8px 0 0;padding-left:1.1em}
.good{--tone:var(--good)}.alarm{--tone:var(--alarm)}.quiet{--tone:var(--quiet)}.unclear{--tone:var(--unclear)}
.verdict.unclear,.card.unclear{background-image:repeating-linear-gradient(-45deg,transparent 0 9px,var(--veil) 9px 11px)}
.facts{display:flex;flex-wrap:wrap;gap:14px 34px;margin:22px 0 0}
.facts dt{color:var(--soft);font-size:.8125rem}
.facts dd{font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,318px),1fr));gap:16px;margin-top:20px}
.card{border:1px solid var(--rule);border-top:4px solid var(--tone);border-radius:10px;padding:16px 18px 14px;background:var(--page);display:flex;flex-direction:column;min-width:0}
.card.alarm{box-shadow:0 0 0 1px var(--tone)}
.card.quiet{border-top-style:double}
.card header{display:flex;justify-content:space-between;gap:12px;font-size:.875rem}
.card .word{color:var(--tone);font-weight:650}
.card .role{color:var(--soft);flex:none}
.card h3{margin-top:10px;font-size:.9375rem}
.card .measured{font-size:1.5rem;line-height:1.25;letter-spacing:-.015em;font-weight:600;margin:4px 0 8px}
.card .measured.long{font-size:1.0625rem;letter-spacing:0;line-height:1.4}
.card .limit,.card .because{color:var(--soft);font-size:.875rem}
.card .limit b{color:var(--ink);font-weight:500}
.card details{margin-top:auto;padding-top:10px}
.card dl{display:grid;grid-template-columns:auto 1fr;gap:2px 14px;font-size:.8125rem;margin-top:6px}
.card dt{color:var(--soft)}
.card dd{text-align:right}
figure{margin:34px 0 0;break-inside:avoid}
figcaption p{color:var(--soft);font-size:.9375rem;max-width:88ch;margin:2px 0 10px}
.empty{border:1px dashed var(--rule);border-radius:8px;padding:18px 20px;color:var(--soft)}
.chart{padding:0 118px 0 58px}
.key{display:flex;flex-wrap:wrap;gap:2px 18px;font-size:.8125rem;color:var(--soft)}
.key svg{vertical-align:middle;overflow:visible}
.plot{display:block;overflow:visible;font-size:11.5px}
.plot text{fill:var(--ink)}
.plot .tick{fill:var(--soft);font-size:11px}
.grid{stroke:var(--grid);stroke-width:1;shape-rendering:crispEdges}
.grid.minor{stroke-dasharray:1 5}
.line{fill:none;stroke-linejoin:round;stroke-linecap:round;vector-effect:non-scaling-stroke}
.area{stroke:none;fill-opacity:.13}
.layer{stroke:var(--page);stroke-width:.5;vector-effect:non-scaling-stroke}
.hatch{fill:url(#hatch)}
.edge{fill:var(--edge)}
.starved{fill:url(#starved)}
.fault-line{stroke:var(--band);stroke-width:1.5;stroke-dasharray:4 3}
.moment{stroke:var(--moment);stroke-width:1.75}
.limit{stroke:var(--alarm);stroke-width:1.25;stroke-dasharray:2 3}
.plot .fault-label,.plot .moment-label,.plot .limit-label{paint-order:stroke;stroke:var(--page);stroke-width:4px;stroke-linejoin:round}
.plot .fault-label{font-weight:600}
.plot .moment-label{fill:var(--moment);font-weight:600}
.tip{fill:transparent}
.tip:hover{fill:var(--ink);fill-opacity:.07}
.narrow{display:none}
details>summary{cursor:pointer;color:var(--soft);font-size:.8125rem;width:fit-content}
details>summary:focus-visible,a:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--k0);outline-offset:3px;border-radius:3px}
.map+details{margin-top:12px}
.scroll{overflow:auto;max-height:440px;margin-top:8px}
.wide-table{overflow-x:auto;margin-top:14px}
table{border-collapse:collapse;font-size:.875rem;line-height:1.45;width:100%}
caption{text-align:left;color:var(--soft);padding:0 0 8px}
th,td{text-align:left;vertical-align:top;padding:7px 18px 7px 0;border-bottom:1px solid var(--rule)}
thead th{color:var(--soft);font-weight:500;white-space:nowrap}
tbody th{font-weight:600}
.scroll th,.scroll td{text-align:right;padding:3px 18px 3px 0;font-weight:400}
.scroll th:first-child{text-align:left;color:var(--soft)}
.nowrap{white-space:nowrap}
td,th{overflow-wrap:normal}
.pairs td{overflow-wrap:anywhere}
.role{color:var(--soft);font-weight:400;font-size:.875rem}
.proof{font-weight:600;color:var(--tone);white-space:nowrap}
.map{display:flex;flex-wrap:wrap;align-items:stretch;gap:10px 14px;margin-top:18px}
.map .arrow{align-self:center;color:var(--soft)}
.tier{border:1px solid var(--rule);border-radius:10px;padding:10px 14px 12px;background:var(--panel);max-width:100%}
.tier h3{color:var(--soft);font-weight:500;font-size:.8125rem;margin-bottom:6px}
.tier ul{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:6px}
.tier li{border:1px solid var(--rule);border-radius:6px;padding:1px 9px;background:var(--page);font-size:.875rem}
.tier li.hit{border-color:var(--band);border-style:dashed;background-image:repeating-linear-gradient(-45deg,transparent 0 6px,var(--veil) 6px 8px)}
.tier li b{font-weight:500;font-size:.8125rem;color:var(--soft)}
.moral{font-size:1.25rem;line-height:1.45;max-width:72ch;margin-top:14px}
footer{margin-top:64px;color:var(--soft);font-size:.8125rem;border-top:1px solid var(--rule);padding-top:14px}
@media (max-width:720px){
body{padding:24px 18px 56px}
h1{font-size:1.5rem}
h2{margin-top:44px}
.verdict{padding:18px;gap:14px}
.verdict .sign{width:36px;height:36px;line-height:32px;font-size:19px}
.verdict .headline{font-size:1.0938rem}
.chart{padding:0 10px 0 52px}
.wide{display:none}
.key .narrow{display:inline}
svg.narrow{display:inline}
.wide-table table{min-width:620px}
.pairs table{min-width:0}
.facts{gap:10px 26px}
}
@media print{
:root{${LIGHT}}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
body{max-width:none;padding:0;font-size:11pt}
.verdict,.card,.tier,tr{break-inside:avoid}
h2,h3{break-after:avoid}
figure details,.card details{display:none}
}
@media (forced-colors:active){.line{stroke:CanvasText}.moment{stroke:Highlight}}
`;

/** The whole style sheet. */
export const STYLE = `:root{${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
${LOOKS.map(([, , dash, width], i) => `.k${i}{stroke:var(--k${i});stroke-width:${width}${dash && `;stroke-dasharray:${dash}`}}.area.k${i}{fill:var(--k${i});stroke:none}`).join('\n')}${LAYOUT}`;

/** The hatches that charts refer to, once a page. They are drawn with a style, not an attribute, to follow light and dark. */
export const PATTERNS: Markup = html`<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>
<pattern id="hatch" width="9" height="9" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="9" style="stroke:var(--hatch);stroke-width:5"/></pattern>
<pattern id="starved" width="4" height="4" patternUnits="userSpaceOnUse"><circle cx="1.5" cy="1.5" r="1" style="fill:var(--unclear)"/></pattern>
${FILLS.map(([, , hatch], i) => html`<pattern id="fill-${i}" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" style="fill:var(--page)"/><rect width="8" height="8" style="fill:var(--f${i});fill-opacity:${hatch === '' ? 0.85 : 0.28}"/><path d="${hatch}" style="fill:none;stroke:var(--f${i});stroke-width:2"/></pattern>`)}
</defs></svg>`;
