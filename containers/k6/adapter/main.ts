/**
 * The load program beside k6: runs inside the client container, talks to the harness by stdin and stdout, and has k6 as its child.
 */
import { runProgram } from '../../../harness/load/program.ts';
import { k6LoadOf } from './load.ts';

runProgram((settings) => k6LoadOf(settings));
