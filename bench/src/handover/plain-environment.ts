/**
 * What measured Node programs inherit. Without NODE_EXTRA_CA_CERTS, which containers of a pod do not have: with it Node 20 reads every root
 * certificate at each start, which takes longer than the whole start does otherwise, and keeps them.
 */
export function plainEnvironment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...plain } = process.env;
  return { ...plain, ...more };
}
