/* Huge pages for a nursery's memory. Where a fork writes to many pages of a 2 MiB block it can be cheaper to copy the
 * block at once, into one page of the processor's own, than page by page. How many are many is measured: where each
 * first touch is dear, on a virtual machine that traps it, it is some dozens; elsewhere no block has so many. */
#pragma once

#define BLOCK (2ul << 20)

/* How many small pages cost so much more than a block that it is worth its memory. Above BLOCK / 4096: never, or the
 * kernel gives no huge pages. */
unsigned block_worth(void);
/* Replaces a mapped block by a copy of it on a huge page, with this protection. Below zero, with errno, on failure: it
 * is as it was. */
int block_renew(unsigned long block, int protection);
