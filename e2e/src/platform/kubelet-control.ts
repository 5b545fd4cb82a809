import http from 'node:http';
import type { ContainerRef, RunningContainer } from '@sidestep/testkit';

/** The faults of the process-kubelet, over its control socket. */
export class KubeletControl {
  constructor(private readonly socketPath: string) {}

  containers(): Promise<RunningContainer[]> {
    return this.call('GET', '/containers');
  }

  /** The kubelet does nothing any more; containers run on. */
  async freeze(): Promise<void> {
    await this.call('POST', '/freeze', {});
  }

  async thaw(): Promise<void> {
    await this.call('POST', '/thaw', {});
  }

  /** `freeze`, and what the node lifecycle controller writes then: node unknown, its pods not Ready. */
  async loseNode(): Promise<void> {
    await this.call('POST', '/lose-node', {});
  }

  /** To the container's main process, or with `all` to every process of it. Rejects when it does not run. */
  async signal(container: ContainerRef, signal: NodeJS.Signals, all = false): Promise<void> {
    await this.call('POST', '/signal', { ...container, signal, all });
  }

  async slowPulls(image: string, ms: number): Promise<void> {
    await this.call('POST', '/slow-pulls', { image, ms });
  }

  private call<T>(method: string, path: string, body?: object): Promise<T> {
    return new Promise((resolve, reject) => {
      const request = http.request({ socketPath: this.socketPath, method, path }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        response.once('end', () => {
          if (response.statusCode === 200) resolve(JSON.parse(text) as T);
          else reject(new Error(`the kubelet refused ${method} ${path}: ${text.trim()}`));
        });
      });
      request.once('error', reject);
      request.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
