import { beforeEach, describe, expect, it } from 'vitest';
import { View } from './view.ts';

const A = 1;
const AAAA = 28;
const CLIENT_1 = '10.0.0.1';
const CLIENT_2 = '10.0.0.2';
let view: View;

beforeEach(() => {
  view = new View('aftershock.test', ['client-1', 'client-2', 'mc-1', 'mc-2', 'late-1'], '10.0.0.99');
  view.know({ 'client-1': CLIENT_1, 'client-2': CLIENT_2, 'mc-1': '10.0.0.11', 'mc-2': '10.0.0.12' });
});

const told = (from: string, node = 'mc-1', type = A) => view.outcome(from, `${node}.aftershock.test`, type);

describe('the truth', () => {
  it('is the address of each node, at once, and that there is none of another type', () => {
    expect(told(CLIENT_1)).toEqual({ answer: { rcode: 'ok', address: '10.0.0.11' }, afterMs: 0 });
    expect(told(CLIENT_1, 'mc-1', AAAA)).toEqual({ answer: { rcode: 'ok' }, afterMs: 0 });
  });

  it('is that a name does not exist, that one will soon, and that others are not ours', () => {
    expect(told(CLIENT_1, 'mc-9').answer).toEqual({ rcode: 'nxdomain' });
    expect(told(CLIENT_1, 'late-1').answer).toEqual({ rcode: 'servfail' });
    expect(view.outcome(CLIENT_1, 'example.org', A).answer).toEqual({ rcode: 'refused' });
    expect(view.outcome(CLIENT_1, 'mc-1.aftershock.test.example.org', A).answer).toEqual({ rcode: 'refused' });
  });
});

describe('a lie', () => {
  it('is told to its asker alone, of its names alone, until it is taken back', () => {
    view.lie('a', 'client-1', ['mc-1'], { kind: 'other', node: 'mc-2' });
    expect(told(CLIENT_1).answer).toEqual({ rcode: 'ok', address: '10.0.0.12' });
    expect(told(CLIENT_2).answer).toEqual({ rcode: 'ok', address: '10.0.0.11' });
    expect(told(CLIENT_1, 'mc-2').answer).toEqual({ rcode: 'ok', address: '10.0.0.12' });
    expect(told(CLIENT_1, 'client-2').answer).toEqual({ rcode: 'ok', address: CLIENT_2 });
    view.truth('a');
    expect(told(CLIENT_1).answer).toEqual({ rcode: 'ok', address: '10.0.0.11' });
    expect(view.lies).toEqual([]);
  });

  it('follows its asker and the node that it names when they move', () => {
    view.lie('a', 'client-1', ['mc-1'], { kind: 'other', node: 'mc-2' });
    view.know({ 'client-1': '10.0.0.7', 'mc-2': '10.0.0.8' });
    expect(told('10.0.0.7').answer).toEqual({ rcode: 'ok', address: '10.0.0.8' });
    expect(told(CLIENT_1).answer).toEqual({ rcode: 'ok', address: '10.0.0.11' });
  });

  it('can be nobody, an error, silence, or the truth later', () => {
    view.lie('a', 'client-1', ['mc-1'], { kind: 'nobody' });
    expect(told(CLIENT_1).answer).toEqual({ rcode: 'ok', address: '10.0.0.99' });
    view.lie('a', 'client-1', ['mc-1'], { kind: 'none', how: 'nxdomain' });
    expect(told(CLIENT_1).answer).toEqual({ rcode: 'nxdomain' });
    view.lie('a', 'client-1', ['mc-1'], { kind: 'none', how: 'silence' });
    expect(told(CLIENT_1)).toEqual({ afterMs: 0 });
    view.lie('a', 'client-1', ['mc-1'], { kind: 'late', byMs: 700 });
    expect(told(CLIENT_1)).toEqual({ answer: { rcode: 'ok', address: '10.0.0.11' }, afterMs: 700 });
  });

  it('goes with others: the last one counts, and delays add up', () => {
    view.lie('a', 'client-1', ['mc-1'], { kind: 'late', byMs: 200 });
    view.lie('b', 'client-1', ['mc-1'], { kind: 'none', how: 'servfail' });
    view.lie('c', 'client-1', ['mc-1'], { kind: 'late', byMs: 300 });
    expect(told(CLIENT_1)).toEqual({ answer: { rcode: 'servfail' }, afterMs: 500 });
    view.truths();
    expect(told(CLIENT_1)).toEqual({ answer: { rcode: 'ok', address: '10.0.0.11' }, afterMs: 0 });
  });
});
