import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EnvironmentError } from '../core/errors.ts';
import type { Channel } from './channel.ts';
import { Orders } from './orders.ts';

describe('orders to a program', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  function started() {
    const sent: Record<string, unknown>[] = [];
    let hear: (message: Record<string, unknown>) => void = () => undefined;
    let end: (how: { code: number; stderr: string }) => void = () => undefined;
    let isOpen = true;
    const channel: Channel = {
      send: (message) => {
        if (!isOpen) throw new EnvironmentError('it has ended');
        sent.push(message as Record<string, unknown>);
      },
      onMessage: (listener) => {
        hear = listener;
      },
      ended: new Promise((resolve) => {
        end = resolve;
      }),
      close: () => {
        isOpen = false;
      },
    };
    return {
      orders: new Orders(channel, 'the flood of mc-1'),
      sent,
      hear: (message: Record<string, unknown>) => hear(message),
      end: (how: Parameters<typeof end>[0]) => end(how),
      shut: channel.close,
    };
  }

  it('are answered by their numbers, in any order', async () => {
    const { orders, sent, hear } = started();
    const answers = [orders.ask({ do: 'a' }, 1_000), orders.ask({ do: 'b' }, 1_000)];
    expect(sent).toEqual([
      { id: 1, do: 'a' },
      { id: 2, do: 'b' },
    ]);
    hear({ id: 2, x: 'b' });
    hear({ id: 1, x: 'a' });
    expect((await Promise.all(answers)).map(({ x }) => x)).toEqual(['a', 'b']);
  });

  it('are given up after a time', async () => {
    const { orders } = started();
    const answer = orders.ask({ do: 'a' }, 1_000).catch(String);
    await vi.advanceTimersByTimeAsync(1_001);
    expect(await answer).toContain('the flood of mc-1 did not answer within 1 s');
  });

  it('fail when the program ends, with its last words, and all later ones', async () => {
    const { orders, end } = started();
    const answer = orders.ask({ do: 'a' }, 1_000).catch(String);
    end({ code: 1, stderr: 'a warning\nno more ports' });
    expect(await answer).toContain('the flood of mc-1 ended: no more ports');
    await expect(orders.ask({ do: 'b' }, 1_000)).rejects.toThrow('the flood of mc-1 ended: no more ports');
    expect(orders.end).toBe('the flood of mc-1 ended: no more ports');
  });

  it('go with a beat each two seconds, until it is closed or cannot be heard any more', async () => {
    const { orders, sent, end } = started();
    await vi.advanceTimersByTimeAsync(4_100);
    expect(sent).toEqual([{ do: 'beat' }, { do: 'beat' }]);
    const closing = orders.close();
    await vi.advanceTimersByTimeAsync(4_000);
    end({ code: 0, stderr: '' });
    await closing;
    expect(sent).toHaveLength(2);

    const other = started();
    // Its end shows in the stream before it is told.
    other.shut();
    await vi.advanceTimersByTimeAsync(4_100);
    expect(other.sent).toEqual([]);
  });
});
