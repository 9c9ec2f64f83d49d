import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Connection, ConnectionList } from './connection.ts';
import { WaitingLine } from './waiting.ts';

describe('WaitingLine', () => {
  it('gives back in order what was put in, however it grew and wrapped around', () => {
    // Whole runs of pushes and shifts, so that the ring of 1,024 wraps and doubles at any offset.
    const runs = fc.array(fc.record({ pushes: fc.integer({ min: 0, max: 900 }), shifts: fc.integer({ min: 0, max: 900 }) }), { maxLength: 10 });
    fc.assert(
      fc.property(runs, (all) => {
        const line = new WaitingLine();
        const model: number[] = [];
        let next = 0;
        for (const { pushes, shifts } of all) {
          for (let i = 0; i < pushes; i++) {
            line.push(next + 0.5, next % 2, next);
            model.push(next++);
          }
          for (let i = 0; i < shifts && model.length > 0; i++) {
            const expected = model.shift() as number;
            expect([line.dueMs, line.operation, line.key]).toEqual([expected + 0.5, expected % 2, expected]);
            line.shift();
          }
          expect(line.size).toBe(model.length);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('ConnectionList', () => {
  it('keeps its order through removals from anywhere, and a connection in one list at a time', () => {
    const moves = fc.array(fc.record({ which: fc.integer({ min: 0, max: 5 }), to: fc.integer({ min: 0, max: 2 }) }), { maxLength: 60 });
    fc.assert(
      fc.property(moves, (all) => {
        const connections = Array.from({ length: 6 }, () => new Connection());
        const lists = Array.from({ length: 3 }, () => new ConnectionList());
        const models: number[][] = [[], [], []];
        for (const { which, to } of all) {
          const connection = connections[which] as Connection;
          lists[to]?.push(connection);
          for (const model of models) if (model.includes(which)) model.splice(model.indexOf(which), 1);
          models[to]?.push(which);
          lists.forEach((list, i) => {
            const order: number[] = [];
            for (let at = list.first; at; at = at.after) order.push(connections.indexOf(at));
            expect(order).toEqual(models[i]);
            expect(list.size).toBe(models[i]?.length);
          });
        }
      }),
    );
  });
});
