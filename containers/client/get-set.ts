/** The mix of clients that get and set, as a schema. */
import { share } from '../../harness/core/units.ts';
import { exactly, parsed } from './fields.ts';

const shareText = parsed(share, "a share, such as '90%'").default('0%');

/** `{ get: '90%', set: '10%' }`: shares that add up to 100%, as numbers. */
export const getSetMix = exactly({ get: shareText, set: shareText })
  .superRefine(({ get, set }, context) => {
    const sum = share(get) + share(set);
    if (Math.abs(sum - 1) > 1e-9)
      context.addIssue({ code: 'custom', message: `get ${get} and set ${set} add up to ${Number((sum * 100).toFixed(6))}%, not to 100%` });
  })
  .transform(({ get, set }) => ({ get: share(get), set: share(set) }));
