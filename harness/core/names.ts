/**
 * Names of nodes and links, and patterns over them: 'mc-3', 'proxy-*', 'mc-1|mc-3', 'proxy-* -> mc-3', and 'a -> b' or 'b -> a' as 'a <-> b'.
 */

export type NodeName = string;
export type LinkName = `${string} -> ${string}`;

export function linkName(from: NodeName, to: NodeName): LinkName {
  return `${from} -> ${to}`;
}

/** Both ends of a link's name or pattern, and whether it names links either way; undefined when it is not of the form 'from -> to'. */
export function linkEnds(name: string): { from: string; to: string; eitherWay: boolean } | undefined {
  const match = /^\s*([^\s<>]+)\s*(<?)->\s*([^\s<>]+)\s*$/.exec(name);
  return match ? { from: match[1] as string, to: match[3] as string, eitherWay: match[2] === '<' } : undefined;
}

/** Whether a name fits a pattern in which `*` stands for any run of characters, and `|` for 'or'. */
export function matches(pattern: string, name: string): boolean {
  const source = pattern
    .split('*')
    .map((part) => part.replace(/[.+?^${}()[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^(?:${source})$`).test(name);
}

/** The links that a pattern such as 'proxy-* -> mc-3' names, in their given order. */
export function matchingLinks<L extends { from: NodeName; to: NodeName }>(pattern: string, links: readonly L[]): L[] {
  const ends = linkEnds(pattern);
  if (!ends) return [];
  const { from, to, eitherWay } = ends;
  return links.filter((link) => (matches(from, link.from) && matches(to, link.to)) || (eitherWay && matches(to, link.from) && matches(from, link.to)));
}
