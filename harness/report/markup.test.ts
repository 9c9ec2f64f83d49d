import { describe, expect, it } from 'vitest';
import { escapeHtml, html } from './markup.ts';

describe('markup', () => {
  it('escapes everything that could leave an element or an attribute', () => {
    expect(escapeHtml(`<script>alert("1")</script>&'\``)).toBe('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;&#96;');
  });

  it('shows characters that act, instead of letting them act', () => {
    expect(escapeHtml('a\u0000b\u001b[31mc\u202ed\u2066e')).toBe('a\ufffdb\ufffd[31mc\ufffdd\ufffde');
    expect(escapeHtml('line\nline\ttab')).toBe('line\nline\ttab');
  });

  it('escapes what is put into a template, and not what is markup already', () => {
    const inner = html`<b>${'<i>'}</b>`;
    expect(html`<p title="${'" onload="x'}">${inner}${['&', html`<br>`]}${3}${undefined}${false}</p>`.text).toBe(
      '<p title="&quot; onload=&quot;x"><b>&lt;i&gt;</b>&amp;<br>3</p>',
    );
  });

  it('does not escape twice, and does not trust an object that only looks like markup', () => {
    expect(html`${html`&amp;`}`.text).toBe('&amp;');
    expect(() => html`${{ text: '<script>' } as never}`.text).toThrow('map');
  });
});
