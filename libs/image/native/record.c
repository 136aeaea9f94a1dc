#include "record.h"
#include "fail.h"
#include "stream.h"

#include <string.h>

struct xattr_head {
  uint16_t name_length;
  uint32_t value_length;
} __attribute__((packed));

static void read_text(char *text, size_t length) {
  if (length >= MAX_PATH_BYTES) refuse("a path is too long", "");
  input_read(text, length);
  text[length] = 0;
  if (strlen(text) != length) refuse("a path holds a NUL", text);
}

/* Relative, without empty components and without dots. The root is "". */
static void check_path(const char *path) {
  for (const char *at = path; *at;) {
    size_t length = strcspn(at, "/");
    if (length == 0 || (length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.'))
      refuse("a path is not plain", path);
    at += length;
    if (*at == '/' && !*++at) refuse("a path ends in a slash", path);
  }
}

void record_read(struct record *record) {
  struct record_head *head = &record->head;
  input_read(head, sizeof *head);
  read_text(record->path, head->path_length);
  read_text(record->target, head->target_length);
  check_path(record->path);
  if (head->type == RECORD_HARD_LINK) check_path(record->target);
  if (head->xattr_bytes > MAX_XATTR_BYTES || head->segment_count > MAX_SEGMENTS)
    refuse("an entry has too much beside its content", record->path);
  input_read(record->xattrs, head->xattr_bytes);
  input_read(record->segments, head->segment_count * sizeof *record->segments);
}

void record_write(struct record *record) {
  record->head.path_length = (uint16_t)strlen(record->path);
  record->head.target_length = (uint16_t)strlen(record->target);
  const struct segment whole = {.offset = 0, .length = record->head.size};
  record->head.segment_count = record->head.type == RECORD_FILE && whole.length > 0;
  output_write(&record->head, sizeof record->head);
  output_write(record->path, record->head.path_length);
  output_write(record->target, record->head.target_length);
  output_write(record->xattrs, record->head.xattr_bytes);
  output_write(&whole, record->head.segment_count * sizeof whole);
}

int record_next_xattr(struct record *record, size_t *at, struct xattr *found) {
  static char name[256 + 1]; /* XATTR_NAME_MAX */
  struct xattr_head head;
  size_t left = record->head.xattr_bytes - *at;
  if (left == 0) return 0;
  if (left < sizeof head) refuse("an entry's attributes are cut", record->path);
  memcpy(&head, record->xattrs + *at, sizeof head);
  left -= sizeof head;
  if (head.name_length >= sizeof name || head.name_length > left || head.value_length > left - head.name_length)
    refuse("an entry's attributes are cut", record->path);
  const char *from = record->xattrs + *at + sizeof head;
  memcpy(name, from, head.name_length);
  name[head.name_length] = 0;
  *found = (struct xattr){.name = name, .value = from + head.name_length, .length = head.value_length};
  *at += sizeof head + head.name_length + head.value_length;
  return 1;
}

int record_add_xattr(struct record *record, const char *name, const char *value, size_t length) {
  struct xattr_head head = {.name_length = (uint16_t)strlen(name), .value_length = (uint32_t)length};
  char *to = record->xattrs + record->head.xattr_bytes;
  size_t needed = sizeof head + head.name_length + length;
  if (needed > MAX_XATTR_BYTES - record->head.xattr_bytes || record->head.xattr_count == MAX_XATTRS) return -1;
  memcpy(to, &head, sizeof head);
  memcpy(to + sizeof head, name, head.name_length);
  memcpy(to + sizeof head + head.name_length, value, length);
  record->head.xattr_bytes += (uint32_t)needed;
  record->head.xattr_count++;
  return 0;
}
