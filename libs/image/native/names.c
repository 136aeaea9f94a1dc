#include "names.h"
#include "fail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct name {
  dev_t device;
  ino_t inode;
  char *path;
};

enum { MOST_BYTES = 128 << 20 };

/* Open addressing; at most half full. */
static struct name *table;
static size_t size, count, bytes;

static size_t slot_of(const struct name *in, size_t slots, dev_t device, ino_t inode) {
  size_t at = (size_t)((inode * 0x9e3779b97f4a7c15u) ^ device) & (slots - 1);
  while (in[at].path && (in[at].device != device || in[at].inode != inode))
    at = (at + 1) & (slots - 1);
  return at;
}

static void grow(const char *path) {
  size_t larger = size ? size * 2 : 1024;
  struct name *to = calloc(larger, sizeof *to);
  if (!to) fail("memory for hard links", path);
  for (size_t i = 0; i < size; i++)
    if (table[i].path) to[slot_of(to, larger, table[i].device, table[i].inode)] = table[i];
  free(table);
  table = to;
  size = larger;
}

const char *names_first(const struct stat *stat, const char *path) {
  if (count * 2 >= size) grow(path);
  struct name *name = &table[slot_of(table, size, stat->st_dev, stat->st_ino)];
  if (name->path) return name->path;
  bytes += strlen(path) + 1 + sizeof *name;
  if (bytes > MOST_BYTES) refuse("too many hard links", path);
  *name = (struct name){.device = stat->st_dev, .inode = stat->st_ino, .path = strdup(path)};
  if (!name->path) fail("memory for hard links", path);
  count++;
  return NULL;
}
