/**
 * What is done to links is lent: while any of them is disturbed, the supervisor in Toxiproxy's container (`containers/toxiproxy/supervisor.pl`) hears so from us every two seconds, and
 * takes everything off the links when it has heard nothing for `LEASE_MS`. Toxiproxy itself would keep a toxic for ever.
 */
import type { Docker } from './engine.ts';

const BEAT_MS = 2_000;
/** A fault ends within ten seconds of its run's death: this, a quarter of a second until it is noticed, and two for Toxiproxy to be asked, or ended. */
export const LEASE_MS = 7_500;

export class LinkLease {
  readonly #say: (word: string) => void;
  #held = 0;
  #beating: NodeJS.Timeout | undefined;

  /** `containerId`: Toxiproxy's, which was created with a stdin. */
  static async open(docker: Docker, containerId: string): Promise<LinkLease> {
    const stream = await docker.getContainer(containerId).attach({ stream: true, stdin: true, hijack: true });
    // A container that is gone has no links to disturb any more.
    stream.on('error', () => undefined);
    return new LinkLease((word) => {
      if (stream.writable) stream.write(`${word}\n`);
    });
  }

  constructor(say: (word: string) => void) {
    this.#say = say;
  }

  /** Before something is done to a link; the answer is called when it was undone. */
  take(): () => void {
    this.#held++;
    this.#renew();
    this.#beating ??= setInterval(() => this.#renew(), BEAT_MS).unref();
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (--this.#held > 0) return;
      clearInterval(this.#beating);
      this.#beating = undefined;
      this.#say('disarm');
    };
  }

  #renew(): void {
    this.#say(`arm ${LEASE_MS / 1_000}`);
  }
}
