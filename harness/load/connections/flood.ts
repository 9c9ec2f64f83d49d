/** A flood: so many connections, each asked on once, and then held, idle. One that is lost is not opened again. */
import { type Behaviour, type Opening, opening } from './behaviour.ts';

export function flood(options: Opening): Behaviour {
  return opening(options);
}
