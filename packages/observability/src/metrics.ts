import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { METRIC_CATALOGUE, type MetricCatalogue, type MetricDefinition } from './metric-catalogue.js';

type Instrument<D extends MetricDefinition> = D['type'] extends 'counter'
  ? Counter<D['labels'][number]>
  : D['type'] extends 'gauge'
    ? Gauge<D['labels'][number]>
    : Histogram<D['labels'][number]>;

/** The instruments of one process, by the catalogue's keys, and the registry that holds them. */
export type Metrics = { [K in keyof MetricCatalogue]: Instrument<MetricCatalogue[K]> } & { registry: Registry };

/** Registers every metric of the catalogue, and with `processMetrics` what prom-client knows of the process itself. */
export function createMetrics(options: { processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  const instruments = Object.entries(METRIC_CATALOGUE).map(([key, definition]) => [key, create(definition, registry)]);
  return { ...Object.fromEntries(instruments), registry } as Metrics;
}

function create(definition: MetricDefinition, registry: Registry) {
  const { name, help, type } = definition;
  const common = { name, help, labelNames: [...definition.labels], registers: [registry] };
  switch (type) {
    case 'counter':
      return new Counter(common);
    case 'gauge':
      return new Gauge(common);
    case 'histogram':
      return new Histogram(definition.buckets ? { ...common, buckets: [...definition.buckets] } : common);
  }
}
