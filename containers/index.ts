/** What a scenario file needs of the containers: clusters and clients as typed values. */
export { bareCache, cache } from './cache.ts';
export { cacheConnections } from './client/connections.ts';
export { cacheClients, cacheWorkers } from './client/index.ts';
export { libraryClients, withLibrary } from './client/library.ts';
export { httpService } from './http/index.ts';
export { k6Client, k6Load } from './k6/index.ts';
export { redisClients } from './redis/clients.ts';
export { bareRedis, redis } from './redis/index.ts';
