import { type Attributes, context, propagation, type Span, SpanStatusCode, trace } from '@opentelemetry/api';

/** The part of a trace that travels in a job: W3C `traceparent` and what else the configured propagator writes. */
export type TraceCarrier = Record<string, string>;

const SCOPE = 'sidestep';

/**
 * Runs `work` in a span that ends with it and records its failure. Without an OpenTelemetry SDK in the process this costs
 * next to nothing and records nothing.
 */
export async function withSpan<R>(name: string, attributes: Attributes, work: (span: Span) => Promise<R>): Promise<R> {
  return trace.getTracer(SCOPE).startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      span.recordException(error instanceof Error ? error : String(error));
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** The current trace, to be put into a job; empty when there is none. */
export function currentTrace(): TraceCarrier {
  const carrier: TraceCarrier = {};
  propagation.inject(context.active(), carrier);
  return carrier;
}

/** Runs `work` as part of the trace that came with a job. */
export function continueTrace<R>(carrier: TraceCarrier | undefined, work: () => R): R {
  return context.with(propagation.extract(context.active(), carrier ?? {}), work);
}
