import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Request, RequestList, RequestStock } from './request.ts';

const inOrder = (list: RequestList): Request[] => {
  const requests: Request[] = [];
  for (let request = list.first; request; request = request.after) requests.push(request);
  return requests;
};

describe('a list of requests', () => {
  it('keeps them by due, those that are due together in the order in which they came, wherever each belongs', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { size: 'max', maxLength: 60 }), (dues) => {
        const [list, stock] = [new RequestList(), new RequestStock()];
        dues.forEach((dueMs, key) => {
          list.insertByDue(stock.take(dueMs, 0, key, -1));
        });
        const expected = dues.map((dueMs, key) => ({ dueMs, key })).toSorted((a, b) => a.dueMs - b.dueMs);
        expect(inOrder(list).map(({ dueMs, key }) => ({ dueMs, key }))).toEqual(expected);
        // Backwards, too.
        for (const request of inOrder(list)) if (request.after) expect(request.after.before).toBe(request);
      }),
    );
  });

  it('passes no other for one that is older or younger than all: a fault that makes thousands of workers wait is not made worse', () => {
    const [list, stock] = [new RequestList(), new RequestStock()];
    for (let key = 1; key <= 5_000; key++) list.insertByDue(stock.take(key, 0, key, -1));
    // Whoever passes others asks them for what is behind or in front of them.
    let passed = 0;
    const counted = (request: Request, side: 'after' | 'before') => {
      const beside = request[side];
      Object.defineProperty(request, side, {
        get() {
          passed++;
          return beside;
        },
      });
    };
    for (const request of inOrder(list).slice(1, -1)) {
      counted(request, 'after');
      counted(request, 'before');
    }
    list.insertByDue(stock.take(6_000, 0, 0, -1));
    list.insertByDue(stock.take(0, 0, 0, -1));
    expect(passed).toBeLessThanOrEqual(2);
  });
});
