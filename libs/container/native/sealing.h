/* What makes a booted Node fit to be forked: memory that V8 keeps from children, descriptors that children would share,
 * random generators that they would copy. */
#pragma once
#include <uv.h>

/* In the nursery, once, when nothing will run in it any more. Answers NULL, or what is open that should not be. */
const char *seal(uv_loop_t *loop);
/* In the child, before anything else. Below zero with errno on failure. */
int unshare_loop(uv_loop_t *loop);
/* In the child: new entropy for OpenSSL. Below zero on failure. */
int reseed(void);
