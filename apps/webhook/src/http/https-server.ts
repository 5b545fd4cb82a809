import 'reflect-metadata';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import type { Logger } from '@sidestep/observability';
import type { ServingCertificate } from '../tls/tls-source.js';
import type { Endpoints } from './endpoints.js';
import { NestLogger } from './nest-logger.js';
import { webhookModule } from './webhook.module.js';

/** API servers close idle connections after 90 s; when the server does it first, a request can meet the closing. */
const KEEP_ALIVE_MS = 120_000;
/** A sender that dribbles is cut off; API servers wait at most 30 s for a webhook anyway. */
const REQUEST_MS = 15_000;

/** The HTTPS side of the webhook: a Nest application on Express whose certificate can be changed while it serves. */
export class HttpsServer {
  readonly #app: INestApplication;
  readonly #server: Server;

  private constructor(app: INestApplication) {
    this.#app = app;
    this.#server = app.getHttpServer() as Server;
  }

  static async create(endpoints: Endpoints, certificate: ServingCertificate, log: Logger): Promise<HttpsServer> {
    const adapter = new ExpressAdapter();
    adapter.disable('x-powered-by');
    const app = await NestFactory.create(webhookModule(endpoints), adapter, {
      httpsOptions: contextOf(certificate),
      bodyParser: false,
      logger: new NestLogger(log),
      abortOnError: false,
    });
    const created = new HttpsServer(app);
    created.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    created.#server.requestTimeout = REQUEST_MS;
    created.#server.headersTimeout = REQUEST_MS;
    return created;
  }

  /** Resolves with the port. */
  async listen(port: number, host: string): Promise<number> {
    await this.#app.listen(port, host);
    return (this.#server.address() as AddressInfo).port;
  }

  /** New connections get the new certificate; those that are open keep theirs until they are closed. */
  use(certificate: ServingCertificate): void {
    this.#server.setSecureContext(contextOf(certificate));
  }

  /** Answers what is being answered and takes no more; connections that do nothing are closed. */
  async stop(): Promise<void> {
    await this.#app.close();
  }
}

const contextOf = ({ cert, key }: ServingCertificate) => ({ cert, key, minVersion: 'TLSv1.2' as const });
