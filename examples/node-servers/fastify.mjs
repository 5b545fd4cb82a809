// A Fastify server whose listening socket outlives it: LISTEN is where, VERSION what it answers.
import { takeover } from '@sidestep/migration-agent';
import Fastify from 'fastify';

const agent = await takeover({ listeners: { web: process.env.LISTEN ?? '8080' }, version: process.env.VERSION ?? '' });
const app = Fastify();
app.addContentTypeParser('*', (_request, payload, done) => payload.resume().on('end', () => done(null)));
app.all('/', async () => process.env.VERSION ?? '');

// Not app.listen(): the agent owns the socket and lends it to the server.
await app.ready();
agent.serve('web', app.server);
await agent.ready();
await agent.done;
await app.close();
