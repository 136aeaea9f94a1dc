/* The memory of a nursery, laid out so that its forks are cheap. What it has written goes into a memory file that is
 * mapped privately over the same addresses: fork then has no page tables to copy, and the first write to a page copies
 * it without a flush of the TLB, because nothing was mapped there before. A trial fork shows which pages a call
 * writes to; later forks take them all at once, before the call, instead of by a fault each. */
#pragma once

/* In the nursery, once, when it runs nothing any more. Below zero, with errno, on failure: it must not be used then. */
int memory_share(void);
/* In the nursery around the trial, and in the trial when it has done what a call does. Below zero on failure. */
int memory_expect_note(void);
void memory_note(void);
int memory_learn(void);
/* In a fork, first of all. What the kernel will not give ahead it gives when it is touched. */
void memory_take(void);
