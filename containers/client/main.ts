/**
 * The load program of a cache client: runs inside its container, talks to the harness by stdin and stdout, and to the
 * cluster's entry in memcached's text protocol.
 */
import { runProgram } from '../../harness/load/program.ts';
import { loadOf } from './settings.ts';

runProgram(loadOf);
