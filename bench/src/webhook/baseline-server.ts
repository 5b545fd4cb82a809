/**
 * The least that a webhook on the same framework must do: a Nest route that takes a review over TLS, parses it, and gives a patch
 * that was made before. Figures of the webhook mean something only beside this one's, measured on the same machine in the same
 * minute. `node baseline-server.js ANSWER` serves the file and prints its port.
 */
import 'reflect-metadata';
import { createPrivateKey, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Body, Controller, HttpCode, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { X509CertificateGenerator } from '@peculiar/x509';

const patch = readFileSync(process.argv[2] ?? '', 'utf8');

@Controller()
class BaselineController {
  @Post('mutate-pod')
  @HttpCode(200)
  mutatePod(@Body() { apiVersion, request }: { apiVersion: string; request: { uid: string } }): object {
    const response = { uid: request.uid, allowed: true, patchType: 'JSONPatch', patch };
    return { apiVersion, kind: 'AdmissionReview', response };
  }
}

@Module({ controllers: [BaselineController] })
class BaselineModule {}

async function certificate(): Promise<{ cert: string; key: string }> {
  const signingAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(signingAlgorithm, true, ['sign', 'verify']);
  const made = await X509CertificateGenerator.createSelfSigned({ name: 'CN=127.0.0.1', signingAlgorithm, keys });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { cert: made.toString('pem'), key: key.export({ format: 'pem', type: 'pkcs8' }).toString() };
}

const app = await NestFactory.create<NestExpressApplication>(BaselineModule, {
  httpsOptions: await certificate(),
  logger: false,
});
app.useBodyParser('json', { limit: '8mb' });
await app.listen(0, '127.0.0.1');
process.stdout.write(String(((app.getHttpServer() as Server).address() as AddressInfo).port));
