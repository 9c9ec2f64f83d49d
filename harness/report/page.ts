/** The frame of every page: one file that loads nothing, runs nothing, and shows the same without a network. */

import type { Part } from './markup.ts';
import { html, Markup } from './markup.ts';
import { PATTERNS, STYLE } from './style.ts';

/** A whole HTML document. */
export function page(title: string, body: Part): string {
  return html`${new Markup('<!doctype html>')}
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${new Markup(STYLE)}</style>
</head>
<body>
${PATTERNS}
${body}
<footer>Written by Aftershock from a saved plan and timeline. This page loads nothing and runs nothing.</footer>
</body>
</html>
`.text;
}

/** A source as a link when it is a web address, else as text. */
export function sourceOf(source: string): Markup {
  return /^https?:\/\/\S+$/i.test(source) ? html`<a href="${source}" rel="noreferrer">${source}</a>` : html`${source}`;
}
