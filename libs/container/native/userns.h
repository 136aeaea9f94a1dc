/* User namespaces with a range of ids each, made before they are needed. A box joins its own by setns after its mounts
 * are made, so its mount namespace stays the host's and no process in it can mount. */
#pragma once

enum { IDS_PER_BOX = 65536 };
/* First host id of slot 0: far above what people and distributions hand out. */
#define FIRST_HOST_ID 0x40000000u

unsigned userns_base(unsigned slot);
/* A file descriptor of a fresh user namespace for the slot, below zero with errno on failure. The caller closes it.
 * With `unlimited`, namespaces may be made inside of it (tests only). */
int userns_take(unsigned slot, int unlimited);
/* Makes one for the slot that was used last, so that the next box finds it ready. Called when there is nothing else to
 * do. */
void userns_refill(void);
