import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

const read = (words: string, setUp?: string) => readOptions(words.split(' ').filter(Boolean), ['flood', 'soak'], ['k6', 'oha'], setUp);

describe('the words of the command', () => {
  it('mean five rounds of two seconds of everything where there are none', () => {
    expect(read('')).toMatchObject({ names: [], rounds: 5, seconds: 2, minutes: 30, quick: false, install: true, without: [] });
  });

  it('name measurements, and what to do without', () => {
    expect(read('flood --rounds 7 --without oha --without k6')).toMatchObject({ names: ['flood'], rounds: 7, without: ['oha', 'k6'] });
  });

  it('make it one short round', () => {
    expect(read('--quick')).toMatchObject({ rounds: 1, seconds: 1, quick: true });
  });

  it.each([
    ['auto', undefined, true],
    ['installed', undefined, false],
    ['', 'never', false],
    ['auto', 'never', true],
  ])('--peers %s with AFTERSHOCK_SETUP=%s', (peers, setUp, install) => {
    expect(read(peers === '' ? '' : `--peers ${peers}`, setUp).install).toBe(install);
  });

  it.each([
    ['flod', "unknown measurement 'flod'; did you mean 'flood'? known: flood, soak"],
    ['--without k7', "unknown peer 'k7'; did you mean 'k6'? known: k6, oha"],
    ['--rounds 0', "--rounds: '0' is not allowed; write a whole number from 1 to 100"],
    ['--rounds 2.5', "--rounds: '2.5' is not allowed; write a whole number from 1 to 100"],
    ['--peers never', "--peers: 'never' is not known; allowed: auto, installed"],
    ['--fast', 'known options: --rounds, --seconds, --minutes, --quick, --peers, --without, --help'],
  ])('%s is refused in one line', (words, line) => {
    expect(() => read(words)).toThrow(line);
  });
});
