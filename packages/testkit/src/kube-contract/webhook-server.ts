import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { parseJson, printJson } from '@sidestep/kube';
import { CertificateAuthority } from '../real-api-server/certificates.js';

type Review = { request: Record<string, unknown> & { uid: string } };

/** What a webhook answers, next to the uid. */
export type Answer = (request: Review['request'], path: string) => object;

/** A webhook over TLS that answers what the test says and remembers what it was asked. */
export interface WebhookServer {
  url(path: string): string;
  /** Base64, as webhook configurations want it. */
  caBundle: string;
  asked: { path: string; request: Review['request'] }[];
  stop(): Promise<void>;
}

const REVIEW_TYPES: Record<string, object> = {
  '/convert': { kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1' },
};
const ADMISSION = { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1' };

export async function startWebhookServer(answer: Answer): Promise<WebhookServer> {
  const authority = await CertificateAuthority.create();
  const { certificate, key } = await authority.server(['localhost'], ['127.0.0.1']);
  const asked: WebhookServer['asked'] = [];
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const path = new URL(request.url ?? '/', 'https://localhost').pathname;
      const review = parseJson(Buffer.concat(chunks).toString()) as Review;
      asked.push({ path, request: review.request });
      const body = {
        ...(REVIEW_TYPES[path] ?? ADMISSION),
        response: { uid: review.request.uid, ...answer(review.request, path) },
      };
      response.writeHead(200, { 'content-type': 'application/json' }).end(printJson(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `https://127.0.0.1:${port}${path}`,
    caBundle: Buffer.from(authority.certificate).toString('base64'),
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A JSON patch as a mutating webhook returns it. */
export const patchAnswer = (patch: object[]): object => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(printJson(patch)).toString('base64'),
});
