import { describe, expect, test } from '@jest/globals';
import { METRIC_CATALOGUE, type MetricDefinition } from './metric-catalogue.js';
import { createMetrics } from './metrics.js';

describe('the metric catalogue', () => {
  test.each(Object.entries<MetricDefinition>(METRIC_CATALOGUE))(
    '%s has a name by the conventions of Prometheus',
    (_, metric) => {
      expect(metric.name).toMatch(/^sidestep_[a-z_]+$/);
      expect(metric.name.endsWith('_total')).toBe(metric.type === 'counter');
      if (metric.type === 'histogram') expect(metric.name).toMatch(/_seconds$/);
      expect(metric.help).not.toBe('');
    },
  );

  test('has no name twice', () => {
    const names = Object.values(METRIC_CATALOGUE).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('the metrics of a process', () => {
  test('are served with their labels and help', async () => {
    const metrics = createMetrics({ processMetrics: false });
    metrics.admissionRefused.inc({ webhook: 'mutate-pod', reason: 'Malformed' });
    metrics.leader.set(1);
    metrics.phaseSeconds.observe({ phase: 'upgrade', result: 'done' }, 0.2);
    const text = await metrics.registry.metrics();
    expect(text).toContain('sidestep_admission_refused_total{webhook="mutate-pod",reason="Malformed"} 1');
    expect(text).toContain('sidestep_leader 1');
    expect(text).toContain('sidestep_phase_seconds_count{phase="upgrade",result="done"} 1');
    expect(text).toContain(`# HELP sidestep_leader ${METRIC_CATALOGUE.leader.help}`);
  });

  test('of two processes in one program do not mix', async () => {
    const [a, b] = [createMetrics({ processMetrics: false }), createMetrics({ processMetrics: false })];
    a.leader.set(1);
    expect(await b.registry.getSingleMetricAsString('sidestep_leader')).toContain('sidestep_leader 0');
  });

  test('include those of the process on request', async () => {
    expect(await createMetrics().registry.metrics()).toContain('process_cpu_seconds_total');
  });
});
