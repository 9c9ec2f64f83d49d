/** What a scenario file needs of the containers: clusters and clients as typed values. */
export { bareCache, cache } from './cache.ts';
export { cacheClients } from './client/index.ts';
