/** What `sidestep-agent --help` prints. */
export const HELP = `sidestep-agent: hands live sockets from the old sidecar container to the new one

  sidestep-agent run [--adapter NAME] [--listen NAME=ADDRESS]... -- CMD [ARG]...
      The container's program: owns the listening sockets and starts CMD with them. ADDRESS is 8080, 127.0.0.1:8080,
      [::]:8080, udp:0.0.0.0:53 or unix:/path. SIGTERM finishes the drain.
        --adapter activation   CMD takes its sockets by LISTEN_FDS and says READY=1 (default)
        --adapter exec         CMD can do neither: the old one is stopped first, the gap is as short as CMD's own start
  sidestep-agent hook [--timeout SECONDS]
      The postStart hook: waits until this container's agent has settled. 0: it serves, or idles as it should.
      1: it gave up; the reason is on stderr and in the termination message.
  sidestep-agent status [--slot NAME] [--compact]
      The agent's state as one JSON object.
  sidestep-agent custodian
      What runs in the empty container: keeps duplicates of the listeners, so that a crash of the proxy refuses nobody.

  Environment (all optional)
    SIDESTEP_DIR              directory that only the two sidecar containers share   (/run/sidestep)
    SIDESTEP_LISTEN           NAME=ADDRESS items separated by spaces, as --listen
    SIDESTEP_ADAPTER          as --adapter
    SIDESTEP_VERSION          label for status and logs
    SIDESTEP_INIT_SECONDS     how long a new program may take to be ready            (60)
    SIDESTEP_GUARD_SECONDS    how long the old one can still go back                 (10)
    SIDESTEP_DRAIN_SECONDS    how long connections may take to end                   (28)
    SIDESTEP_TERMINATION_LOG  where the termination message goes                     (/dev/termination-log)
    SIDESTEP_SLOT             tells containers apart that share SIDESTEP_DIR         (SIDECARSET_VERSION, else main)

  Exit status: 0 well, 1 gave up, 2 wrong usage; \`run\` passes on the status of CMD when CMD ends by itself.
`;
