import { HttpKubeApi, loadKubeConfig, RateLimiter } from '@sidestep/kube';
import { type HealthCheck, HealthServer, type Logger, type Metrics } from '@sidestep/observability';
import { Reviews } from './admission/reviews.js';
import { ClusterView } from './cluster/cluster-view.js';
import type { Config } from './config.js';
import { Endpoints } from './http/endpoints.js';
import { HttpsServer } from './http/https-server.js';
import { Registration } from './registration/registration.js';
import { reportCall, reportReflector } from './reports.js';
import { servingHosts } from './serving-hosts.js';
import { TlsFromFiles } from './tls/from-files.js';
import { SelfManagedTls } from './tls/self-managed.js';
import type { ServingCertificate, TlsSource } from './tls/tls-source.js';

/** The Secret with the certificate authority, in the namespace of the webhook. */
const AUTHORITY_SECRET = 'sidestep-webhook-ca';

/** A webhook needs little of the API server: a handful of watches, a certificate, three configurations. */
const CALLS_PER_SECOND = 20;

/** The webhook as a process runs it: everything is built in the constructor, started and stopped in order. */
export class WebhookApp {
  readonly #config: Config;
  readonly #log: Logger;
  readonly #metrics: Metrics;
  readonly #api: HttpKubeApi;
  readonly #view: ClusterView;
  readonly #endpoints: Endpoints;
  readonly #tls: TlsSource;
  readonly #health: HealthServer;
  #certificate: ServingCertificate | undefined;
  #https: HttpsServer | undefined;
  #registration: Registration | undefined;

  /** Throws `KubeConfigError` when no API server is known. */
  constructor(config: Config, log: Logger, metrics: Metrics) {
    this.#config = config;
    this.#log = log;
    this.#metrics = metrics;
    this.#api = new HttpKubeApi({
      connection: loadKubeConfig({ kubeconfig: config.kubeconfig, home: config.home }),
      limiter: new RateLimiter({ qps: CALLS_PER_SECOND, burst: 2 * CALLS_PER_SECOND }),
      userAgent: 'sidestep-webhook',
      onCall: reportCall(metrics),
    });
    this.#view = new ClusterView({
      api: this.#api,
      namespace: config.namespace,
      onEvent: reportReflector(metrics, log),
      onSize: (resource, size) => metrics.reflectorObjects.set({ resource }, size),
      onProblem: (error) => log.error({ error }, 'an object cannot be used'),
    });
    const reviews = new Reviews({ view: this.#view, metrics, log, now: () => new Date() });
    const missing = () => this.#view.missing();
    const { maxInFlight, maxMibInFlight } = config;
    const maxBytesInFlight = maxMibInFlight * 2 ** 20;
    this.#endpoints = new Endpoints({ reviews, missing, metrics, log, maxInFlight, maxBytesInFlight });
    this.#tls = this.#tlsSource();
    this.#health = new HealthServer({
      host: config.healthHost,
      port: config.healthPort,
      live: { process: () => undefined },
      ready: this.#readiness(),
      metrics: metrics.registry,
    });
  }

  /** Resolves once the webhook listens; it is ready when /readyz says so. */
  async start(): Promise<{ url: string; healthUrl: string }> {
    const { url: healthUrl } = await this.#health.start();
    this.#view.start();
    this.#log.info({ healthUrl }, 'waiting for the serving certificate');
    this.#use(await this.#tls.start());
    const certificate = this.#certificate as ServingCertificate;
    this.#https = await HttpsServer.create(this.#endpoints, certificate, this.#log);
    const port = await this.#https.listen(this.#config.port, this.#config.host);
    this.#tls.onChange((renewed) => this.#use(renewed));
    this.#register(certificate);
    const url = `https://${this.#config.host.includes(':') ? `[${this.#config.host}]` : this.#config.host}:${port}`;
    this.#log.info({ url }, 'listening');
    return { url, healthUrl };
  }

  /** Takes reviews for `drainSeconds` more, answers what is under way, and ends. */
  async stop(): Promise<void> {
    this.#health.drain();
    this.#endpoints.drain();
    if (this.#https) await new Promise((resolve) => setTimeout(resolve, this.#config.drainSeconds * 1000));
    await this.#https?.stop();
    await this.#registration?.stop();
    await this.#tls.stop();
    await this.#view.stop();
    this.#api.close();
    await this.#health.stop();
  }

  #tlsSource(): TlsSource {
    const { tlsMode, tlsDir, namespace, url } = this.#config;
    const onError = (error: unknown) => this.#log.error({ error }, 'serving certificate');
    if (tlsMode === 'files') return new TlsFromFiles({ dir: tlsDir, onError });
    const hosts = servingHosts(namespace, url);
    return new SelfManagedTls({ api: this.#api, namespace, secretName: AUTHORITY_SECRET, hosts, onError });
  }

  #use(certificate: ServingCertificate): void {
    this.#certificate = certificate;
    this.#metrics.certificateExpiry.set(certificate.notAfter.getTime() / 1000);
    this.#https?.use(certificate);
    this.#registration?.want({ caBundle: certificate.caBundle, url: this.#config.url });
    this.#log.info({ notAfter: certificate.notAfter.toISOString() }, 'serving certificate in use');
  }

  /** With certificates from files, whoever made them also tells the API server, unless the address is ours to set. */
  #register({ caBundle }: ServingCertificate): void {
    if (this.#config.tlsMode === 'files' && !this.#config.url) return;
    this.#registration = new Registration(
      {
        api: this.#api,
        onError: (target, error) => this.#log.warn({ target, error }, 'webhook configuration not up to date'),
        onInstalled: (name) => this.#log.info({ object: name }, 'webhook configuration brought up to date'),
      },
      { caBundle, url: this.#config.url },
    );
    this.#registration.start();
  }

  #readiness(): Record<string, HealthCheck> {
    return {
      caches: () => {
        const missing = this.#view.missing();
        return missing.length === 0 ? undefined : `not listed yet: ${missing.join(', ')}`;
      },
      certificate: () => {
        if (!this.#https || !this.#certificate) return 'there is none yet';
        const { notAfter } = this.#certificate;
        return notAfter > new Date() ? undefined : `it ended at ${notAfter.toISOString()}`;
      },
      registration: () => this.#registration?.problem(),
    };
  }
}
