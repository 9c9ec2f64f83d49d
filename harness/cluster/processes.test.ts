import { expect, it } from 'vitest';
import { firstOf, fits, noneFits, underFirst } from './processes.ts';
import type { Process } from './types.ts';

const process = (pid: number, parent: number, name: string, more: Partial<Process> = {}): Process => ({
  pid,
  parent,
  startTicks: 100 + pid,
  state: 'S',
  name,
  command: [`/usr/bin/${name}`],
  ...more,
});

const all = [
  process(1, 0, 'sh', { command: ['sh', '-c', 'supervise'] }),
  process(7, 1, 'memcached', { command: ['memcached', '-p', '11211', '-m', '64'] }),
  process(8, 7, 'helper'),
  process(9, 1, 'memcached', { state: 'Z', command: [] }),
  // Put there from outside: a sidecar, and what it has started.
  process(20, 0, 'node'),
  process(21, 20, 'memcached'),
];

it('a node is its first process and all that descends from it and lives', () => {
  expect(firstOf(all)?.name).toBe('sh');
  expect(underFirst(all).map(({ pid }) => pid)).toEqual([7, 8]);
  expect(underFirst([process(2, 3, 'a'), process(3, 2, 'b')])).toEqual([]);
  expect(firstOf([])).toBeUndefined();
});

it('a process is named by its name, its program, or a pattern over its command line', () => {
  const memcached = all[1] as Process;
  for (const pattern of ['memcached', 'memc*', 'redis|memcached', '*-p 11211*']) expect(fits(memcached, pattern), pattern).toBe(true);
  for (const pattern of ['memcache', '-p 11211', '*-p 11212*', '']) expect(fits(memcached, pattern), pattern).toBe(false);
  // The kernel cuts a name after 15 characters; the program's own is whole.
  expect(fits(process(5, 1, 'a-program-with-', { command: ['/opt/a-program-with-a-long-name'] }), 'a-program-with-a-long-name')).toBe(true);
});

it('what is not found is told with what there is, and a first process as what it is', () => {
  expect(noneFits('mc-1', 'nginx', all.slice(0, 1), underFirst(all))).toBe("no process 'nginx' under the first process of mc-1; there is memcached, helper");
  expect(noneFits('mc-1', 'nginx', all.slice(0, 1), [])).toBe("no process 'nginx' under the first process of mc-1; there is none");
  expect(noneFits('mc-1', 'sh', all.slice(0, 1), [])).toBe("'sh' is the first process of mc-1 and no child of it; leave out process");
});
