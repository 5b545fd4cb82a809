/** The Services of the shipped YAML: one for admission, and one that also leads to pods that are not ready, for conversion. */
const SERVICES = ['sidestep-webhook', 'sidestep-webhook-conversion'];

/** Names and addresses by which API servers may call, the most usual one first. */
export function servingHosts(namespace: string, url: string | undefined): string[] {
  const services = SERVICES.flatMap((name) => [`${name}.${namespace}.svc`, `${name}.${namespace}`]);
  const own = url ? [new URL(url).hostname.replace(/^\[|\]$/g, '')] : [];
  return [...new Set([...services, ...own])];
}
