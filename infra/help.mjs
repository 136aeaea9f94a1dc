/** What `npm start -- --help` says: before any set-up, with the Node that is there. */
export const HELP = `npm start [-- options]

Starts Mayfly: Redis, gateway and worker, then deploys the function hello, calls it once and shows its bill.

  --once       stop after that and exit 0
  --verbose    show the services' own logs
  --help       this text

Environment
  MAYFLY_HOME          all state (default /var/lib/mayfly)
  MAYFLY_LISTEN        gateway's address (default 127.0.0.1:8080)
  MAYFLY_KEY           admin key (default: made on first start, kept in $MAYFLY_HOME/key)
  MAYFLY_REDIS_URL     an existing Redis or Valkey, 6.2 or later (default: a private one)
  MAYFLY_CONCURRENCY   boxes serving at once (default 4 for each core)
  MAYFLY_NURSERY       off: boot a runtime in each box instead of forking one (default on; docs/decisions/0006)
  MAYFLY_READY_MEMORY  for boxes that wait for the next call or build, 0 for none (default an eighth of the memory, at most 1GiB)
  MAYFLY_BUILD_ENV     what programs of builds (RUN, npm) find in their environment and no image keeps:
                       HTTPS_PROXY,NPM_CONFIG_REGISTRY=https://npm.example/ (a name alone: its value here)
  MAYFLY_BUILD_CA      a file of certificates that they trust, in no image either
  MAYFLY_REGISTRIES    where images are looked for whose names have no registry's host, after those that are here:
                       registry.example:5000/team,docker.io (default: Docker Hub for pull and FROM, none for deploys)
  MAYFLY_REGISTRY_CA   a file of certificates by which registries are known, besides those that Node has
  MAYFLY_EGRESS_ALLOW  places in private networks that boxes with a network may go to: 10.1.2.3:443,10.2.0.0/16:80
  MAYFLY_LOG_LEVEL     of the services' logs in $MAYFLY_HOME/log (default info)

Exit status: 0 done, or stopped while it ran; 78 the machine, its set-up or an option; 130 stopped before it ran; 1 anything else.
`;
