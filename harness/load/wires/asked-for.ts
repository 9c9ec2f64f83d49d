/** Which kind of sockets whoever runs us wants, by the environment: for those who would rather have nothing but public interfaces, and for measuring both. */
import { InputError } from '../../core/errors.ts';

/** 'public', 'internal' (an error where it cannot be had), or nothing for the better one. */
export const WIRES_VARIABLE = 'AFTERSHOCK_SOCKETS';

/** The word of whoever runs us, where there is one. Throws InputError for another than the two. */
export function wiresAskedFor(wanted = process.env[WIRES_VARIABLE]): 'public' | 'internal' | undefined {
  if (!wanted) return undefined;
  if (wanted === 'public' || wanted === 'internal') return wanted;
  throw new InputError(`${WIRES_VARIABLE}: '${wanted}' is not allowed; write 'public' or 'internal'`);
}
