/* Powers that a program gives up, for itself and for what it starts. Whatever cannot be given up ends it. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

void powers_limit(int resource, rlim_t value);
/* No program that is started from here on gains any other than these (bits of capabilities(7)). */
void powers_bound(uint64_t capabilities);
/* Those that this process has itself. */
void powers_keep(uint64_t capabilities);
void powers_no_new(void);
/* These system calls of this architecture; `otherwise` is what all others come to (SECCOMP_RET_...), the wrong
 * architecture's always death. */
void powers_filter(const int *allowed, size_t count, uint32_t otherwise);
