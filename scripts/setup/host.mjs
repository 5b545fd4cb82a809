// What the machine must be before anything else is tried. Each refusal is one clear sentence, never a stack trace.
const MINIMUM = [20, 19];

const tooOld = (version) => {
  const [major, minor] = version.split('.').map(Number);
  return major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1]);
};

/** The reason why Sidestep cannot run here, or undefined. */
export const unsupportedHost = ({ platform, version }) => {
  if (platform !== 'linux') {
    return (
      'Sidestep hands over listening sockets with Linux system calls, so it needs a Linux kernel. ' +
      'Run it in a container instead: docker run --rm -it -v "$PWD":/src -w /src node:24 npm run demo'
    );
  }
  if (tooOld(version)) {
    return `Sidestep needs Node ${MINIMUM.join('.')} or newer; this is Node ${version}. Install a newer one and run the command again.`;
  }
  return undefined;
};
