/** A Linux in user mode, in a container (`containers/uml`), for what this machine's kernel cannot do: boots, carries out a script and is gone, in two seconds and what the script takes. */
import { join } from 'node:path';
import { connectEngine } from '../../../cluster/engine.ts';
import { runLabels } from '../../../cluster/labels.ts';

const FOLDER = join(import.meta.dirname, '../../../../containers/uml');
const TAG = 'aftershock/uml:1';

/** What a script of commands printed. Throws when it did not come to its end. The image is built at the first call, in about a minute. */
export async function inUserModeLinux(commands: readonly string[]): Promise<string> {
  const { docker } = await connectEngine();
  const building = await docker.buildImage({ context: FOLDER, src: ['Dockerfile', 'boot.sh', 'init.sh'] }, { t: TAG });
  await new Promise<void>((resolve, reject) => docker.modem.followProgress(building, (error) => (error ? reject(error) : resolve())));
  const container = await docker.createContainer({
    Image: TAG,
    Env: [`SCRIPT=${commands.join('\n')}\n`],
    Tty: true,
    Labels: runLabels('look'),
    HostConfig: { NetworkMode: 'none', Memory: 512 * 2 ** 20 },
  });
  try {
    await container.start();
    await container.wait();
    const output = ((await container.logs({ stdout: true, stderr: true })) as unknown as Buffer).toString('latin1');
    if (!output.includes('ended with 0')) throw new Error(`the script in user-mode Linux did not end well: ${output.slice(-2_000)}`);
    return output;
  } finally {
    await container.remove({ force: true });
  }
}

export interface Ping {
  readonly number: number;
  readonly ms: number;
}

/** Of the part that begins with '== name', in the order in which they were answered. */
export function pingsIn(output: string, name: string): Ping[] {
  const part = output.split('== ').find((one) => one.startsWith(`${name}\r`) || one.startsWith(`${name}\n`)) ?? '';
  return [...part.matchAll(/icmp_seq=(\d+) ttl=\d+ time=([\d.]+) ms/g)].map(([, number, ms]) => ({ number: Number(number), ms: Number(ms) }));
}
