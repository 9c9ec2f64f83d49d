import { describe, expect, it } from 'vitest';
import { InputError } from '../core/errors.ts';
import { catalogue } from '../faults/catalogue.ts';
import { latency, loss } from '../faults/index.ts';
import { fieldsOf, targetField } from '../faults/writing.ts';
import { COMMON_FLAGS, type FaultWords, readFaultWords } from './fault-words.ts';

const read = (text: string) => readFaultWords(text.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", '')) ?? []) as FaultWords;

describe('aftershock fault', () => {
  it('reads a fault, its target, its own flags and how long', () => {
    expect(read("latency --on 'proxy-* -> mc-3' --delay 1s --for 10s")).toMatchObject({ fault: latency('proxy-* -> mc-3', '1s'), lasts: '10s', json: false });
    expect(read('loss --on mc-1 --share 5% --for 1.5s --cluster 3f --json')).toMatchObject({
      fault: loss('mc-1', '5%', { direction: 'in' }),
      lasts: '1.5s',
      cluster: '3f',
      json: true,
    });
    expect(read('push-config --on proxy-1 --replace a --with b --comes-up false --for 10s').fault).toMatchObject({ comesUp: false });
  });

  it.each([
    ['', /^fault: none given; write one of .*latency/],
    ['latncy --on a', /^unknown fault 'latncy'; did you mean 'latency'\? known: /],
    ['--on mc-1', /^fault: its name comes first; write one of /],
    ['latency --for 10s --delay 1s', /^--on: missing; write 'from -> to'/],
    ["latency --on 'a -> b' --delay 1s", /^--for: missing; write a duration, such as '10s'$/],
    ["latency --on 'a -> b' --for 10s", /^--delay: missing; write a duration from 5ms to 60s$/],
    ["latency --on 'a -> b' --for soon --delay 1s", /^--for: 'soon' is not a duration; /],
    ['latency --on mc-3 --for 10s --delay 1s', /^--on: 'mc-3' is not a link; write /],
    ['loss --on mc-1 --for 10s --share 5% --direction up', /^--direction: 'up' is not allowed; write 'in', 'out' or 'both'$/],
    ['loss --on mc-1 --for 10s --share 500%', /^--share: '500%' is not a share; /],
    ['loss --on mc-1 --for 10s --share 5% --port x', /^--port: 'x' is not allowed; write /],
    ["latency --on 'a -> b' --dleay 1s", /^latency: unknown option '--dleay' \(Did you mean --delay\?\); flags of latency: --on, --for, /],
    ["latency --on 'a -> b' --delay", /^latency: option '--delay <delay>' argument missing; flags of latency: /],
    ["latency 'a -> b' --for 1s", /^latency: 'a -> b' stands alone; its target is --on 'a -> b'$/],
    ['push-config --on proxy-1 --replace a --with b --comes-up maybe --for 1s', /^--comes-up: .*true or false/],
  ])("refuses '%s' in one line that names the flag", (text, line) => {
    expect(() => read(text)).toThrow(InputError);
    expect(() => read(text)).toThrow(line);
    try {
      read(text);
    } catch (thrown) {
      expect((thrown as Error).message).not.toContain('\n');
    }
  });

  it('lists every fault with its flags, and shows each with what its flags take', () => {
    const all = readFaultWords(['--help']) as string;
    for (const { kind } of catalogue()) expect(all).toContain(`  ${kind.kind} `);
    expect(readFaultWords(['loss', '--help'])).toContain("'in', 'out' or 'both' (default: in)");
  });

  it('has no fault with a field that is called like a flag of all', () => {
    const wrong = catalogue().flatMap(({ kind }) =>
      fieldsOf(kind)
        .filter(({ flag }) => COMMON_FLAGS.some((common) => flag === `--${common}`))
        .map(({ name }) => `${kind.kind}.${name}`),
    );
    expect(wrong).toEqual([]);
    for (const { kind } of catalogue()) expect(() => targetField(kind)).not.toThrow();
  });
});
