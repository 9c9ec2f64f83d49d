/** Stands in for a command line that runs a program in its place: argument 1 is the program's source. */
import { runChild } from './child.mjs';

process.exitCode = await runChild(process.execPath, ['--eval', process.argv[2] ?? '']);
