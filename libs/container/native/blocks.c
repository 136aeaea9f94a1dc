#include "blocks.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, SAMPLE = 64 };
/* What a block must save a fork: every box that waits holds a whole one then, and not the pages that it writes to. */
enum { SAVING_US = 500 };

/* Aligned, and asked for on a huge page. NULL on failure. */
static char *new_block(void) {
  char *room = mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (room == MAP_FAILED) return NULL;
  size_t before = BLOCK - (unsigned long)room % BLOCK;
  munmap(room, before);
  if (before < BLOCK) munmap(room + before + BLOCK, BLOCK - before);
  madvise(room + before, BLOCK, MADV_HUGEPAGE);
  return room + before;
}

int block_renew(unsigned long block, int protection) {
  char *copy = new_block();
  if (!copy) return -1;
  memcpy(copy, (const void *)block, BLOCK);
  if (mprotect(copy, BLOCK, protection) == 0 &&
      mremap(copy, BLOCK, BLOCK, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)block) != MAP_FAILED)
    return 0;
  munmap(copy, BLOCK);
  return -1;
}

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* What a fork pays for a page of a memory file that it writes to, or below zero. */
static double small_us(void) {
  int file = memfd_create("sample", MFD_CLOEXEC);
  char *pages = MAP_FAILED;
  static const char content[SAMPLE * PAGE];
  if (file >= 0 && write(file, content, sizeof content) == sizeof content)
    pages = mmap(NULL, SAMPLE * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
  if (file >= 0) close(file);
  if (pages == MAP_FAILED) return -1;
  double began = now_us();
  madvise(pages, SAMPLE * PAGE, MADV_POPULATE_WRITE);
  for (size_t i = 0; i < SAMPLE; i++)
    ((volatile char *)pages)[i * PAGE] = 1;
  double each = (now_us() - began) / SAMPLE;
  munmap(pages, SAMPLE * PAGE);
  return each;
}

static double block_us(void) {
  char *source = new_block();
  if (!source) return -1;
  memset(source, 1, BLOCK);
  double began = now_us();
  int failed = block_renew((unsigned long)source, PROT_READ | PROT_WRITE);
  double took = now_us() - began;
  munmap(source, BLOCK);
  return failed ? -1 : took;
}

unsigned block_worth(void) {
  double small = 1e9, whole = 1e9;
  for (int i = 0; i < 5; i++) {
    double one = small_us(), all = block_us();
    if (one < 0 || all < 0) return BLOCK / PAGE + 1;
    if (one < small) small = one;
    if (all < whole) whole = all;
  }
  return small > 0 ? (unsigned)((whole + SAVING_US) / small) + 1 : BLOCK / PAGE + 1;
}
