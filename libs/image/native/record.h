/* The one format that crosses the border of this program, in both directions: an entry of a layer. Little endian; the
 * other end is src/tree/record.ts. A head, then path, target, extended attributes (u16 length of the name, u32 length
 * of the value, name, value) and segments (u64 offset, u64 length), then a file's bytes: those of its segments, in
 * order. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum record_type {
  RECORD_DIRECTORY = 'd',
  RECORD_FILE = 'f',
  RECORD_SYMLINK = 'l',
  RECORD_HARD_LINK = 'h',
  RECORD_CHAR_DEVICE = 'c',
  RECORD_BLOCK_DEVICE = 'b',
  RECORD_FIFO = 'p',
  RECORD_WHITEOUT = 'w', /* path: what is hidden */
  RECORD_OPAQUE = 'o',   /* path: the folder whose lower contents are hidden */
  RECORD_END = 'E',      /* to us: all has been said; from us: all is done */
};

enum {
  MAX_PATH_BYTES = 4096, /* PATH_MAX with its NUL */
  MAX_XATTRS = 128,
  MAX_XATTR_BYTES = 256 * 1024, /* of one entry, names included */
  MAX_SEGMENTS = 64 * 1024,
};

struct record_head {
  uint8_t type;
  uint8_t reserved;
  uint16_t path_length;
  uint16_t target_length;
  uint16_t xattr_count;
  uint32_t mode; /* permission bits only */
  uint32_t uid;
  uint32_t gid;
  uint32_t mtime_ns;
  int64_t mtime_s;
  uint64_t size;
  uint32_t major;
  uint32_t minor;
  uint32_t xattr_bytes;
  uint32_t segment_count;
};
_Static_assert(sizeof(struct record_head) == 56, "the head has no holes");

struct segment {
  uint64_t offset;
  uint64_t length;
};

struct record {
  struct record_head head;
  char path[MAX_PATH_BYTES];
  char target[MAX_PATH_BYTES];
  char xattrs[MAX_XATTR_BYTES];
  struct segment segments[MAX_SEGMENTS];
};

/* Reads the next record from standard input. Ends the program when it is malformed: the other end checks before it
 * sends, so that is a fault of ours and not of a layer. */
void record_read(struct record *record);
/* Writes all but a file's bytes, which go after it in one piece. */
void record_write(struct record *record);

struct xattr {
  const char *name; /* ends with NUL */
  const char *value;
  size_t length;
};
/* Walks the attributes: `at` begins at 0. Answers 0 at the end. */
int record_next_xattr(struct record *record, size_t *at, struct xattr *found);
/* Appends one. Answers -1 when there is no room. */
int record_add_xattr(struct record *record, const char *name, const char *value, size_t length);
