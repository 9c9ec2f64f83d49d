/**
 * Half-closed connections: FIN follows the request at once, and the answer is still read. The far end stands in CLOSE_WAIT until it closes, too: memcached does that when it has
 * answered, twemproxy not before the last outstanding request of the connection is answered.
 */
import { type Behaviour, type Opening, opening } from './behaviour.ts';

export function halfClosed(options: Opening): Behaviour {
  return {
    ...opening(options),
    connected: (connection) => {
      connection.ask();
      connection.finish();
    },
  };
}
