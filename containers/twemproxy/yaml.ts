/** twemproxy's configuration file: one pool of plain values and lists. */

export function stringify(pool: string, settings: Readonly<Record<string, string | number | boolean | readonly string[]>>): string {
  const lines = Object.entries(settings).flatMap(([key, value]) =>
    Array.isArray(value) ? [`  ${key}:`, ...value.map((item) => `   - ${item}`)] : [`  ${key}: ${String(value)}`],
  );
  return `${pool}:\n${lines.join('\n')}\n`;
}
