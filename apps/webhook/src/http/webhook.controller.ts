import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { Endpoints } from './endpoints.js';

/** The routes, with OpenKruise's paths. Bodies are read raw: pipes and parsers would cost more than the decisions. */
@Controller()
export class WebhookController {
  constructor(@Inject(Endpoints) private readonly endpoints: Endpoints) {}

  @Post('mutate-pod')
  mutatePod(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    return this.endpoints.handle('mutate-pod', request, response);
  }

  @Post('mutate-apps-kruise-io-sidecarset')
  mutateSidecarSet(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    return this.endpoints.handle('mutate-sidecarset', request, response);
  }

  @Post('validate-apps-kruise-io-sidecarset')
  validateSidecarSet(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    return this.endpoints.handle('validate-sidecarset', request, response);
  }

  @Post('convert')
  convert(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    return this.endpoints.handle('convert', request, response);
  }
}
