/* What this program gives up before it looks at the first byte of a layer. */
#pragma once

enum confine_for { CONFINE_UNPACK, CONFINE_WALK, CONFINE_REMOVE, CONFINE_SYNC };

/* At once: no other descriptors, no core dumps, dies with whoever started it. */
void confine_begin(void);
/* In the world: only the capabilities that the work needs, no new ones, only the system calls that it makes. */
void confine(enum confine_for work);
