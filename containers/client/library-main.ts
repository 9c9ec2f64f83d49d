/**
 * The load program of a client that uses an application's library: runs inside its container, with the libraries' packages laid in beside
 * it, and talks to the harness by stdin and stdout.
 */
import { runProgram } from '../../harness/load/program.ts';
import { libraryLoad } from './library-load.ts';

runProgram(libraryLoad);
