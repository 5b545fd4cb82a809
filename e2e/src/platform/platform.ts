import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { KubeApi } from '@sidestep/kube';
import { freePort, type RedisHandle, startRedis } from '@sidestep/testkit';
import type { ApiFaults } from './api-faults.js';
import { type Caller, type PlatformApiServer, startActualApiServer, startSimulatedApiServer } from './api-server.js';
import { KubeletControl } from './kubelet-control.js';
import { KubeletLog } from './kubelet-log.js';
import { applyManifests } from './manifests.js';
import { Service } from './service.js';

export interface PlatformOptions {
  /** The checkout. */
  root: string;
  /** Everything the run writes: logs, kubeconfig, pod volumes. */
  stateDir: string;
  workers: number;
  /** One leads, the others stand by. Default 1. */
  planners?: number;
  /** Puts faults in front of the real API server, as kube-sim has them built in. Default false. */
  faultProxy?: boolean;
  queue: 'redis' | 'memory';
  /** Default kube-sim. On the real one the apps run with the roles that are shipped. */
  apiServer?: 'kube-sim' | 'real';
  /** kube-sim keeps what it is told in the state folder, and may be killed and started again. Default false: it is faster in memory. */
  keepsApiState?: boolean;
  /** Fail where no Redis can be had, instead of going on without one. */
  needsRedis?: boolean;
  /** A private Redis even where `REDIS_URL` names one: it will be killed or emptied. */
  ownRedis?: boolean;
  /** Image name to process, for the kubelet; without any there is no kubelet. */
  images?: Record<string, unknown>;
  /** The kubelet's. */
  node?: string;
  /** How late the kubelet reports and whether it keeps a back-off; both as a real one unless told otherwise. */
  kubeletArgs?: string[];
  env?: Record<string, string>;
}

const NAMESPACE = 'kruise-system';
/** Its containers end before it does, and write until then. */
const KUBELET_PATIENCE_MS = 60_000;

/** The whole platform, every part an own OS process: API server, Redis, webhook, planner, workers, kubelet. */
export class Platform {
  readonly options: PlatformOptions;
  readonly services = new Map<string, Service>();
  readonly kubeletLog = new KubeletLog();
  redis: RedisHandle | undefined;
  /** What ends from now on is meant to. */
  isEnding = false;
  private kubeletControl: KubeletControl | undefined;
  private server: PlatformApiServer | undefined;
  private queue: 'redis' | 'memory';

  constructor(options: PlatformOptions) {
    this.options = options;
    this.queue = options.queue;
    mkdirSync(path.join(options.stateDir, 'logs'), { recursive: true });
  }

  get apiServer(): PlatformApiServer {
    if (!this.server) throw new Error('the API server was not started');
    return this.server;
  }

  /** The administrator's. */
  get kubeconfig(): string {
    return this.apiServer.kubeconfig;
  }

  /** What can go wrong on the node. */
  get kubelet(): KubeletControl {
    if (!this.kubeletControl) throw new Error('the platform has no kubelet');
    return this.kubeletControl;
  }

  /** What can go wrong between the apps and the API server. */
  get faults(): ApiFaults {
    if (!this.apiServer.faults) throw new Error('there are no faults in front of this API server');
    return this.apiServer.faults;
  }

  get api(): KubeApi {
    return this.apiServer.api;
  }

  service(name: string): Service {
    const service = this.services.get(name);
    if (!service) throw new Error(`no service ${name}; there are: ${[...this.services.keys()].join(', ')}`);
    return service;
  }

  async start(onStep: (what: string) => void = () => {}): Promise<this> {
    onStep('API server');
    await this.startApiServer();
    if (this.queue === 'redis') {
      onStep('Redis');
      await this.startRedis(onStep);
    }
    onStep('CRDs, webhooks, RBAC');
    await applyManifests(
      this.api,
      ['deploy/crds', 'deploy/kustomize/base'].map((folder) => path.join(this.options.root, folder)),
    );
    onStep('webhook, planner, workers, kubelet');
    await this.startWebhook();
    await Promise.all((await this.upgradeWorkers()).map(async (service) => (await service.start()).ready()));
    if (this.options.images) await this.startKubelet(this.options.images, this.options.node ?? 'node');
    return this;
  }

  /** Ends everything, last started first. */
  async stop(): Promise<void> {
    this.isEnding = true;
    for (const service of [...this.services.values()].reverse()) await service.stop();
    await this.redis?.stop();
    await this.server?.stop();
  }

  private add(service: Service): Service {
    this.services.set(service.spec.name, service);
    return service;
  }

  private built(file: string): string {
    return path.join(this.options.root, file);
  }

  private create(spec: ConstructorParameters<typeof Service>[0]): Service {
    return this.add(new Service(spec, path.join(this.options.stateDir, 'logs')));
  }

  get usedQueue(): 'redis' | 'memory' {
    return this.queue;
  }

  /** Without any Redis to be had the platform runs on the queue inside the planner's process, and says so. */
  private async startRedis(onStep: (what: string) => void): Promise<void> {
    try {
      this.redis = await startRedis({ shared: !this.options.ownRedis });
    } catch (error) {
      if (this.options.needsRedis) throw error;
      onStep(`without Redis, on the in-process queue: ${(error as Error).message}`);
      this.queue = 'memory';
    }
  }

  private async startApiServer(): Promise<void> {
    this.server =
      this.options.apiServer === 'real'
        ? await startActualApiServer(NAMESPACE, this.options)
        : await startSimulatedApiServer(
            this.options.stateDir,
            {
              program: this.built('packages/testkit/dist/kube-sim/main.js'),
              keepsState: this.options.keepsApiState === true,
            },
            (spec) => this.create(spec),
          );
  }

  private async commonEnv(caller: Caller): Promise<{ env: Record<string, string>; readyUrl: string }> {
    const port = await freePort();
    return {
      readyUrl: `http://127.0.0.1:${port}/readyz`,
      env: {
        KUBECONFIG: await this.apiServer.kubeconfigFor(caller),
        SIDESTEP_NAMESPACE: NAMESPACE,
        SIDESTEP_HEALTH_HOST: '127.0.0.1',
        SIDESTEP_HEALTH_PORT: String(port),
        ...this.options.env,
      },
    };
  }

  private async startWebhook(): Promise<void> {
    const port = await freePort();
    const { env, readyUrl } = await this.commonEnv('webhook');
    const service = this.create({
      name: 'webhook',
      file: this.built('apps/webhook/dist/main.js'),
      readyUrl,
      env: {
        ...env,
        // Nothing routes to it through a Service that would have to hear first that it stops.
        SIDESTEP_DRAIN_SECONDS: '0',
        SIDESTEP_WEBHOOK_HOST: '127.0.0.1',
        SIDESTEP_WEBHOOK_PORT: String(port),
        SIDESTEP_WEBHOOK_URL: `https://127.0.0.1:${port}`,
      },
    });
    await (await service.start()).ready();
  }

  private async upgradeWorkers(): Promise<Service[]> {
    const roles =
      this.queue === 'memory'
        ? [['planner', 'all'] as const]
        : [
            ...Array.from(
              { length: this.options.planners ?? 1 },
              (_, index) => [index === 0 ? 'planner' : `planner-${index + 1}`, 'planner'] as const,
            ),
            ...Array.from({ length: this.options.workers }, (_, index) => [`worker-${index + 1}`, 'worker'] as const),
          ];
    return Promise.all(
      roles.map(async ([name, role]) => {
        const { env, readyUrl } = await this.commonEnv('upgrade-worker');
        return this.create({
          name,
          file: this.built('apps/upgrade-worker/dist/main.js'),
          readyUrl,
          env: {
            ...env,
            // A planner that was killed keeps its Lease that long.
            SIDESTEP_LEASE_SECONDS: env.SIDESTEP_LEASE_SECONDS ?? '5',
            SIDESTEP_ROLE: role,
            SIDESTEP_QUEUE: this.queue,
            // A Redis that REDIS_URL names may be shared with another platform.
            SIDESTEP_QUEUE_NAME: `run-${process.pid}`,
            // Without one, what this process was given counts as unset: it may be what could not be used.
            REDIS_URL: this.redis?.url ?? '',
          },
        });
      }),
    );
  }

  private async startKubelet(catalogue: Record<string, unknown>, node: string): Promise<void> {
    const images = path.join(this.options.stateDir, 'images.json');
    writeFileSync(images, JSON.stringify(catalogue));
    const options: Record<string, string> = {
      '--kubeconfig': this.kubeconfig,
      '--node': node,
      '--images': images,
      '--state-dir': path.join(this.options.stateDir, 'kubelet'),
      '--bin': `sidestep-agent=${this.built('packages/migration-agent/bin/sidestep-agent.cjs')}`,
    };
    const kubelet = this.create({
      name: 'kubelet',
      file: this.built('packages/testkit/dist/process-kubelet/main.js'),
      patienceMs: KUBELET_PATIENCE_MS,
      args: [...Object.entries(options).flat(), ...(this.options.kubeletArgs ?? [])],
    });
    const { controlSocket } = await (await kubelet.start((line) => this.kubeletLog.push(line))).announcement();
    this.kubeletControl = new KubeletControl(String(controlSocket));
  }
}
