/* What a nursery and the launcher say to each other over the nursery's descriptor 3 (SOCK_SEQPACKET). Towards the
 * nursery goes the worker's own request, byte for byte, with descriptors beside it in the order below; back come these
 * words. */
#pragma once

enum tenant_fd { TENANT_PID1, TENANT_GO, TENANT_REPORT, TENANT_OTHERS };
/* TENANT_PID1    pidfd of the box's PID 1: its namespaces
 * TENANT_GO      a pipe that PID 1 writes to when they stand
 * TENANT_REPORT  the box's socket to the launcher
 * TENANT_OTHERS  and on: the request's own descriptors, then the files to join its groups by */

enum nursery_word_kind { NURSERY_SEALED = 1, NURSERY_TENANT_ENDED = 2 };
struct nursery_word {
  int kind;
  int status;  /* wait status, for TENANT_ENDED */
  char id[65]; /* the box, for TENANT_ENDED */
};
