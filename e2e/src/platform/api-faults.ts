import type { FaultRule } from '@sidestep/testkit';

/** The faults of kube-sim, or of a proxy in front of a real API server, over HTTP. */
export class ApiFaults {
  constructor(private readonly url: string) {}

  /** Returns the id to remove it by. */
  async add(rule: FaultRule): Promise<string> {
    const { id } = await this.call<{ id: string }>('POST', 'faults', rule);
    return id;
  }

  async remove(id: string): Promise<void> {
    await this.call('DELETE', `faults/${id}`);
  }

  async clear(): Promise<void> {
    await this.call('DELETE', 'faults');
  }

  /** How often the rule has struck. */
  async hits(id: string): Promise<number> {
    const { faults } = await this.call<{ faults: { id: string; hits: number }[] }>('GET', 'faults');
    return faults.find((fault) => fault.id === id)?.hits ?? 0;
  }

  async cutWatches(resource?: string): Promise<void> {
    await this.call('POST', 'cut-watches', { resource });
  }

  /** Resuming a watch from before now answers 410. */
  async compact(): Promise<void> {
    await this.call('POST', 'compact', {});
  }

  async freeze(): Promise<void> {
    await this.call('POST', 'freeze', {});
  }

  async thaw(): Promise<void> {
    await this.call('POST', 'thaw', {});
  }

  private async call<T = unknown>(method: string, topic: string, body?: object): Promise<T> {
    const response = await fetch(`${this.url}/sim/${topic}`, {
      method,
      ...(body ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } } : {}),
    });
    if (!response.ok) throw new Error(`${method} /sim/${topic}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  }
}
