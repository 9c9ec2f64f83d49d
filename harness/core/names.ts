/**
 * Names of nodes and links, and patterns over them: 'mc-3', 'proxy-*', 'proxy-* -> mc-3'.
 */

export type NodeName = string;
export type LinkName = `${string} -> ${string}`;

export function linkName(from: NodeName, to: NodeName): LinkName {
  return `${from} -> ${to}`;
}

/** Both ends of a link's name or pattern; undefined when it is not of the form 'from -> to'. */
export function linkEnds(name: string): { from: string; to: string } | undefined {
  const match = /^\s*([^\s>]+)\s*->\s*([^\s>]+)\s*$/.exec(name);
  return match ? { from: match[1] as string, to: match[2] as string } : undefined;
}

/** Whether a name fits a pattern in which `*` stands for any run of characters. */
export function matches(pattern: string, name: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${source}$`).test(name);
}

/** The links that a pattern such as 'proxy-* -> mc-3' names, in their given order. */
export function matchingLinks<L extends { from: NodeName; to: NodeName }>(pattern: string, links: readonly L[]): L[] {
  const ends = linkEnds(pattern);
  if (!ends) return [];
  return links.filter((link) => matches(ends.from, link.from) && matches(ends.to, link.to));
}
