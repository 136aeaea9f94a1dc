#include "memory.h"
#include "blocks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { PAGE = 4096, MAX_SPANS = 2048, MAX_RUNS = 8192, MAX_BLOCKS = 1024 };
/* Fewer mappings are worth a few pages that nobody wrote to. */
enum { GAP = 16 * PAGE };
/* Pages of a block, counted with those that the kernel maps around one that is touched. */
enum { WORTH_READING = 64 };

/* Documentation/admin-guide/mm/pagemap.rst */
#define PRESENT (1ull << 63)
#define OF_FILE (1ull << 61)

struct span {
  unsigned long from, to;
  int protection;
};
static struct span spans[MAX_SPANS];
static size_t span_count;

struct run {
  unsigned long from, to;
  int is_own; /* written to; else read */
};
struct runs {
  size_t count;
  struct run list[MAX_RUNS];
};
static struct runs taken;  /* what forks write to, page by page */
static struct runs *noted; /* shared with the trial, and gone after it */

/* A block of memory that the trial has used. */
struct used {
  unsigned long block;
  unsigned own, read; /* pages */
  int is_huge;
};
static struct used used[MAX_BLOCKS];
static size_t used_count;

/* A process's own: the kernel's special mappings and the stack we stand on stay as they are. */
static int is_movable(const char *permissions, const char *name) {
  return permissions[3] == 'p' && strncmp(permissions, "---", 3) && strncmp(name, "[v", 2) && strcmp(name, "[stack]");
}

/* AddressSanitizer's notes on the rest: 15 TB at a fixed place, of which next to nothing is there. To look for it takes
 * minutes. https://github.com/google/sanitizers/wiki/AddressSanitizerAlgorithm */
static int is_shadow(const struct span *span) {
#ifdef __SANITIZE_ADDRESS__
  return span->to > 0x7fff8000ul && span->from < 0x10007fff8000ul;
#else
  (void)span;
  return 0;
#endif
}

static int read_spans(void) {
  char *line = NULL;
  size_t room = 0;
  FILE *maps = fopen("/proc/self/maps", "re");
  if (!maps) return -1;
  span_count = 0;
  while (getline(&line, &room, maps) > 0 && span_count < MAX_SPANS) {
    struct span *span = &spans[span_count];
    char permissions[5], name[64] = "";
    if (sscanf(line, "%lx-%lx %4s %*x %*s %*u %63s", &span->from, &span->to, permissions, name) < 3) continue;
    if (!is_movable(permissions, name) || is_shadow(span)) continue;
    span->protection = (permissions[0] == 'r' ? PROT_READ : 0) | (permissions[1] == 'w' ? PROT_WRITE : 0) |
                       (permissions[2] == 'x' ? PROT_EXEC : 0);
    span_count++;
  }
  free(line);
  fclose(maps);
  return span_count < MAX_SPANS ? 0 : (errno = E2BIG, -1);
}

/* Calls `take` with each run of pages of a kind. Answers below zero as soon as it does. */
static int each_run(int pagemap, const struct span *span, uint64_t mask, uint64_t kind, unsigned long gap,
                    int (*take)(unsigned long from, unsigned long to, void *with), void *with) {
  uint64_t entries[512];
  unsigned long from = 0, to = 0;
  for (unsigned long at = span->from; at < span->to;) {
    size_t wanted = (span->to - at) / PAGE < 512 ? (span->to - at) / PAGE : 512;
    ssize_t length = pread(pagemap, entries, wanted * sizeof *entries, (off_t)(at / PAGE * sizeof *entries));
    if (length <= 0) return -1;
    for (size_t i = 0; i < (size_t)length / sizeof *entries; i++, at += PAGE) {
      if ((entries[i] & mask) != kind) continue;
      if (to && (at - to > gap || from / BLOCK != at / BLOCK)) {
        if (take(from, to, with) < 0) return -1;
        to = 0;
      }
      if (!to) from = at;
      to = at + PAGE;
    }
  }
  return to ? take(from, to, with) : 0;
}

struct moving {
  int file, protection;
  off_t at;
};

/* Between the copy and the mapping nothing may write to the pages: all that runs here is on the stack, which stays. */
static int move(unsigned long from, unsigned long to, void *with) {
  struct moving *moving = with;
  size_t length = to - from;
  for (size_t done = 0; done < length;) {
    ssize_t written = pwrite(moving->file, (char *)from + done, length - done, moving->at + (off_t)done);
    if (written <= 0) return -1;
    done += (size_t)written;
  }
  if (mmap((void *)from, length, moving->protection, MAP_PRIVATE | MAP_FIXED, moving->file, moving->at) == MAP_FAILED)
    return -1;
  moving->at += (off_t)length;
  return 0;
}

int memory_share(void) {
  if (read_spans() < 0) return -1;
  struct moving moving = {.file = memfd_create("nursery", MFD_CLOEXEC)};
  int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  int result = moving.file < 0 || pagemap < 0 ? -1 : 0;
  /* By value: the list itself is among what moves. */
  for (size_t i = 0; result == 0 && i < span_count; i++) {
    struct span span = spans[i];
    moving.protection = span.protection;
    result = each_run(pagemap, &span, PRESENT | OF_FILE, PRESENT, GAP, move, &moving);
  }
  int error = errno;
  if (pagemap >= 0) close(pagemap);
  if (moving.file >= 0) close(moving.file);
  errno = error;
  return result;
}

int memory_expect_note(void) {
  if (read_spans() < 0) return -1;
  noted = mmap(NULL, sizeof *noted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return noted == MAP_FAILED ? -1 : 0;
}

static int note(unsigned long from, unsigned long to, void *with) {
  if (noted->count == MAX_RUNS) return -1;
  noted->list[noted->count++] = (struct run){from, to, *(const int *)with};
  return 0;
}

void memory_note(void) {
  int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (pagemap < 0) return;
  for (size_t i = 0; i < span_count; i++) {
    const struct span span = spans[i];
    int own = 1, read = 0;
    if (span.protection & PROT_WRITE && each_run(pagemap, &span, PRESENT | OF_FILE, PRESENT, PAGE, note, &own) < 0)
      break;
    if (each_run(pagemap, &span, PRESENT | OF_FILE, PRESENT | OF_FILE, PAGE, note, &read) < 0) break;
  }
  close(pagemap);
}

static struct used *used_of(unsigned long address) {
  unsigned long block = address / BLOCK * BLOCK;
  for (size_t i = 0; i < used_count; i++)
    if (used[i].block == block) return &used[i];
  if (used_count == MAX_BLOCKS) return NULL;
  used[used_count] = (struct used){.block = block};
  return &used[used_count++];
}

/* Whether the block may become one mapping: what lies in it has the same protection. What nobody has becomes part of it
 * where it is memory to be written. */
static int unite(unsigned long block, int *protection) {
  unsigned long at = block, end = block + BLOCK;
  *protection = -1;
  for (size_t i = 0; i < span_count && at < end; i++) {
    const struct span *span = &spans[i];
    if (span->to <= at || span->from >= end) continue;
    if (*protection >= 0 && span->protection != *protection) return -1;
    *protection = span->protection;
    if (span->from > at &&
        (!(*protection & PROT_WRITE) || mmap((void *)at, span->from - at, *protection,
                                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED))
      return -1;
    at = span->to;
  }
  if (at >= end) return 0;
  if (*protection < 0 || !(*protection & PROT_WRITE)) return -1;
  return mmap((void *)at, end - at, *protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED
             ? -1
             : 0;
}

/* A block that forks write to is copied by each; one that they only read they share. */
static void lay_out(struct used *block, unsigned worth) {
  int protection;
  if (block->own < worth && (block->own > 0 || block->read < WORTH_READING)) return;
  if (unite(block->block, &protection) == 0) block->is_huge = block_renew(block->block, protection) == 0;
}

static int learn(void) {
  for (size_t i = 0; i < noted->count; i++) {
    const struct run *run = &noted->list[i];
    struct used *block = used_of(run->from);
    if (!block) return -1;
    *(run->is_own ? &block->own : &block->read) += (unsigned)((run->to - run->from) / PAGE);
  }
  if (read_spans() < 0) return -1;
  unsigned worth = block_worth();
  for (size_t i = 0; i < used_count; i++)
    lay_out(&used[i], worth);
  for (size_t i = 0; i < noted->count; i++)
    if (noted->list[i].is_own && !used_of(noted->list[i].from)->is_huge) taken.list[taken.count++] = noted->list[i];
  return 0;
}

int memory_learn(void) {
  errno = ENODATA;
  int result = noted->count > 0 ? learn() : -1;
  munmap(noted, sizeof *noted);
  return result;
}

void memory_take(void) {
  for (size_t i = 0; i < used_count; i++)
    if (used[i].is_huge && used[i].own) block_renew(used[i].block, PROT_READ | PROT_WRITE);
  for (size_t i = 0; i < taken.count; i++)
    madvise((void *)taken.list[i].from, taken.list[i].to - taken.list[i].from, MADV_POPULATE_WRITE);
}
