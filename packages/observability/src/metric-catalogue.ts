/** One metric as it is documented and registered. */
export interface MetricDefinition {
  name: string;
  type: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  buckets?: readonly number[];
}

const CALL_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
const ADMISSION_BUCKETS = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5] as const;
const PHASE_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800] as const;

/** Every metric of every Sidestep process. The reference page is made from it, so the names here are a promise. */
export const METRIC_CATALOGUE = {
  admissionSeconds: {
    name: 'sidestep_admission_seconds',
    type: 'histogram',
    help: 'Time to answer an admission or conversion review, from its last byte to the answer',
    labels: ['webhook', 'result'],
    buckets: ADMISSION_BUCKETS,
  },
  admissionBytesInFlight: {
    name: 'sidestep_admission_bytes_in_flight',
    type: 'gauge',
    help: 'Bytes of the bodies of reviews being read or answered',
    labels: [],
  },
  admissionInFlight: {
    name: 'sidestep_admission_in_flight',
    type: 'gauge',
    help: 'Reviews being answered',
    labels: [],
  },
  admissionRefused: {
    name: 'sidestep_admission_refused_total',
    type: 'counter',
    help: 'Reviews refused, by webhook and reason',
    labels: ['webhook', 'reason'],
  },
  injectedPods: {
    name: 'sidestep_injected_pods_total',
    type: 'counter',
    help: 'Pods that were given the containers of a SidecarSet',
    labels: ['sidecarset'],
  },
  certificateExpiry: {
    name: 'sidestep_certificate_expiry_timestamp_seconds',
    type: 'gauge',
    help: 'When the serving certificate ends, in seconds since 1970',
    labels: [],
  },
  kubeCallSeconds: {
    name: 'sidestep_kube_call_seconds',
    type: 'histogram',
    help: 'Calls to the API server by verb, resource and HTTP status (0: no answer); for watches, until they are open',
    labels: ['verb', 'resource', 'status'],
    buckets: CALL_BUCKETS,
  },
  reflectorObjects: {
    name: 'sidestep_reflector_objects',
    type: 'gauge',
    help: 'Objects held in memory',
    labels: ['resource'],
  },
  reflectorRelists: {
    name: 'sidestep_reflector_relists_total',
    type: 'counter',
    help: 'Full lists, by what made them necessary',
    labels: ['resource', 'reason'],
  },
  reflectorFailures: {
    name: 'sidestep_reflector_failures_total',
    type: 'counter',
    help: 'Lists and watches that failed or went silent, and objects that could not be read',
    labels: ['resource', 'during'],
  },
  eventsDropped: {
    name: 'sidestep_events_dropped_total',
    type: 'counter',
    help: 'Kubernetes Events that were not written: too many about one object, too many waiting, refused, or still waiting when the process ended',
    labels: ['why'],
  },
  leader: {
    name: 'sidestep_leader',
    type: 'gauge',
    help: '1 on the process that holds the planner lease',
    labels: [],
  },
  reconcileSeconds: {
    name: 'sidestep_reconcile_seconds',
    type: 'histogram',
    help: 'Time of one look at a SidecarSet and its pods',
    labels: ['result'],
    buckets: CALL_BUCKETS,
  },
  reconcileQueue: {
    name: 'sidestep_reconcile_queue',
    type: 'gauge',
    help: 'SidecarSets that wait to be looked at',
    labels: ['state'],
  },
  decisions: {
    name: 'sidestep_decisions_total',
    type: 'counter',
    help: 'Decisions about rollouts and pods, by reason; the reasons are the documented list',
    labels: ['subject', 'reason'],
  },
  phaseSeconds: {
    name: 'sidestep_phase_seconds',
    type: 'histogram',
    help: 'Time from a phase becoming due until it was done or given up',
    labels: ['phase', 'result'],
    buckets: PHASE_BUCKETS,
  },
  phaseJobs: {
    name: 'sidestep_phase_jobs',
    type: 'gauge',
    help: 'Phase jobs in the queue, by state',
    labels: ['state'],
  },
  pods: {
    name: 'sidestep_pods',
    type: 'gauge',
    help: 'Pods of a SidecarSet, by state of their upgrade',
    labels: ['sidecarset', 'state'],
  },
  blockedPods: {
    name: 'sidestep_blocked_pods',
    type: 'gauge',
    help: 'Pods of a SidecarSet that are not done, by the reason that holds them',
    labels: ['sidecarset', 'reason'],
  },
  queueConnected: {
    name: 'sidestep_queue_connected',
    type: 'gauge',
    help: '1 while the phase queue answers',
    labels: [],
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricCatalogue = typeof METRIC_CATALOGUE;
