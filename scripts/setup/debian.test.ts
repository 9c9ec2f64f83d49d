import { describe, expect, it } from 'vitest';
import { canInstall, isDebianLike } from './debian.ts';

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nHOME_URL="https://www.debian.org/"\n';
const MINT = 'NAME="Linux Mint"\nID=linuxmint\nID_LIKE="ubuntu debian"\n';
const FEDORA = 'NAME="Fedora Linux"\nID=fedora\nSUPPORT="not debian"\n';

describe('packages are installed', () => {
  it('on Debian, and on what says it is like it', () => {
    expect([DEBIAN, MINT, 'ID="ubuntu"\n'].map(isDebianLike)).toEqual([true, true, true]);
  });

  it('on no other system', () => {
    expect([FEDORA, ''].map(isDebianLike)).toEqual([false, false]);
  });

  it('by root alone', () => {
    expect(canInstall(DEBIAN, 0)).toBe(true);
    expect(canInstall(DEBIAN, 1000)).toBe(false);
  });
});
