// A NestJS application whose listening socket outlives it: LISTEN is where, VERSION what it answers.
import 'reflect-metadata';
import { All, Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { takeover } from '@sidestep/migration-agent';

class Hello {
  answer() {
    return process.env.VERSION ?? '';
  }
}
class App {}

// In TypeScript these are @Controller(), @All() and @Module().
Controller()(Hello);
All()(Hello.prototype, 'answer', Object.getOwnPropertyDescriptor(Hello.prototype, 'answer'));
Module({ controllers: [Hello] })(App);

const agent = await takeover({ listeners: { web: process.env.LISTEN ?? '8080' }, version: process.env.VERSION ?? '' });
const app = await NestFactory.create(App, { logger: ['error', 'warn'] });

// Not app.listen(): the agent owns the socket and lends it to the server.
await app.init();
agent.serve('web', app.getHttpServer());
await agent.ready();
await agent.done;
await app.close();
