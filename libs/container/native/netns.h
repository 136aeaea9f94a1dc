/* Network namespaces with loopback up, made before they are needed and used once: making one is the dearest single step
 * of a box, and one that was used keeps what was done in it (abstract sockets, ports in TIME_WAIT, sysctls). */
#pragma once

/* A descriptor of a new namespace, below zero with errno on failure; this thread alone is in it meanwhile. */
int netns_make(void);
/* A descriptor of a fresh namespace, below zero with errno on failure. The caller closes it. */
int netns_take(void);
/* Makes one ahead when there is none. Called when there is nothing else to do. */
void netns_refill(void);
