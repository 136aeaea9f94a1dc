/* Preloaded into a nursery: V8 asks for the chunks of its heap at random addresses, each on tables and, at best, a huge
 * page of its own. Here they come to lie side by side, from one random address on. Only the hint is changed; who lives
 * at the address already keeps it. */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

/* V8's (kRegularPageSize): it asks for a chunk and its alignment, less a page, and gives back what is not aligned. */
#define CHUNK (256ul << 10)
#define SLACK (CHUNK - 4096)
/* What is larger is the range for code, which must lie near the program. */
#define LARGEST (64ul << 20)
#define BLOCK (2ul << 20)

static unsigned long next;

static int is_chunk(const void *hint, size_t length, int protection, int flags) {
  return hint && flags == (MAP_PRIVATE | MAP_ANONYMOUS) && protection == (PROT_READ | PROT_WRITE) &&
         length >= CHUNK + SLACK && length <= LARGEST;
}

/* In the middle of the lower half of what a process may have: far from what the kernel places by itself. */
static unsigned long somewhere(void) {
  uint32_t number = 0;
  (void)!getrandom(&number, sizeof number, 0);
  return (0x100000000000ul + ((unsigned long)number << 14)) / BLOCK * BLOCK;
}

void *mmap(void *hint, size_t length, int protection, int flags, int fd, off_t offset) {
  if (is_chunk(hint, length, protection, flags)) {
    if (!next) next = somewhere();
    hint = (void *)next;
    next += (length - SLACK + CHUNK - 1) / CHUNK * CHUNK;
  }
  return (void *)syscall(SYS_mmap, hint, length, protection, flags, fd, offset);
}

void *mmap64(void *hint, size_t length, int protection, int flags, int fd, off_t offset) __attribute__((alias("mmap")));
