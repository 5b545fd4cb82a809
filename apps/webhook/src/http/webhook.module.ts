import { type DynamicModule, Module } from '@nestjs/common';
import { Endpoints } from './endpoints.js';
import { WebhookController } from './webhook.controller.js';

@Module({ controllers: [WebhookController] })
class WebhookModule {}

/** Nest's view of the application: one controller on endpoints that were built outside. */
export const webhookModule = (endpoints: Endpoints): DynamicModule => ({
  module: WebhookModule,
  providers: [{ provide: Endpoints, useValue: endpoints }],
});
