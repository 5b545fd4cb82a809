import { ADAPTERS } from '../adapters/registry.js';

const SIGNS = ADAPTERS.flatMap(({ name, readySigns }) => (readySigns ? `${name}: ${readySigns.join(', ')}` : [])).join(
  '; ',
);

/** What `sidestep-agent --help` prints. */
export const HELP = `sidestep-agent: hands live sockets from the old sidecar container to the new one

  sidestep-agent run [--adapter NAME] [--listen NAME=ADDRESS]... -- CMD [ARG]...
      The container's program: owns the listening sockets and starts CMD with them. ADDRESS is 8080, 127.0.0.1:8080,
      [::]:8080, udp:0.0.0.0:53 or unix:/path. SIGTERM finishes the drain.
        --adapter NAME   how CMD takes its sockets                                   (activation)
${ADAPTERS.map(({ name, summary }) => `          ${name.padEnd(13)} ${summary}`).join('\n')}
        --ready SIGN     how CMD shows that it serves, where there is a choice; ${SIGNS}
  sidestep-agent hook [--timeout SECONDS]
      The postStart hook: waits until this container's agent has settled. 0: it serves, or idles as it should.
      1: it gave up; the reason is on stderr and in the termination message.
  sidestep-agent status [--slot NAME] [--compact]
      The agent's state as one JSON object.
  sidestep-agent init --adapter NAME [--only sidecarset|containerfile] [--name NAME] [--image IMAGE] [--empty-image IMAGE]
      Prints a SidecarSet and a Containerfile for that adapter.
  sidestep-agent doctor [options of run] [--grace SECONDS] [-o json] [-- CMD]
      Looks at this container from the inside and says what an upgrade would fail on. 0: no errors, 1: some.
      Without -- CMD it examines what the container runs. --grace: the pod's terminationGracePeriodSeconds.
  sidestep-agent custodian
      What runs in the empty container: keeps duplicates of the listeners, so that a crash of the proxy refuses nobody.

  Environment (all optional)
    SIDESTEP_DIR              directory that only the two sidecar containers share   (/run/sidestep)
    SIDESTEP_LISTEN           NAME=ADDRESS items separated by spaces, as --listen
    SIDESTEP_ADAPTER          as --adapter
    SIDESTEP_READY            as --ready
    SIDESTEP_VERSION          label for status and logs
    SIDESTEP_INIT_SECONDS     how long a new program may take to be ready            (60)
    SIDESTEP_GUARD_SECONDS    how long the old one can still go back                 (10)
    SIDESTEP_DRAIN_SECONDS    how long connections may take to end                   (28)
    SIDESTEP_TERMINATION_LOG  where the termination message goes                     (/dev/termination-log)
    SIDESTEP_SLOT             tells containers apart that share SIDESTEP_DIR         (SIDECARSET_VERSION, else main)

  Exit status: 0 well, 1 gave up, 2 wrong usage; \`run\` passes on the status of CMD when CMD ends by itself.
`;
