#include "stream.h"
#include "fail.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024 };

static char in[BUFFER];
static size_t in_at, in_end;
static char out[BUFFER];
static size_t out_end;

static void fill(void) {
  ssize_t got;
  do {
    got = read(STDIN_FILENO, in, sizeof in);
  } while (got < 0 && errno == EINTR);
  if (got < 0) fail("reading what is to be done", "");
  /* Whoever told us what to do is gone, or gave up in the middle. */
  if (got == 0) refuse("the layer ended in the middle", "");
  in_at = 0;
  in_end = (size_t)got;
}

const char *input_some(size_t length, size_t *got) {
  if (in_at == in_end) fill();
  size_t there = in_end - in_at;
  *got = there < length ? there : length;
  const char *bytes = in + in_at;
  in_at += *got;
  return bytes;
}

void input_read(void *bytes, size_t length) {
  for (char *to = bytes; length > 0;) {
    size_t got;
    const char *from = input_some(length, &got);
    memcpy(to, from, got);
    to += got;
    length -= got;
  }
}

void output_flush(void) {
  for (size_t at = 0; at < out_end;) {
    ssize_t written = write(STDOUT_FILENO, out + at, out_end - at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) _exit(71); /* Nobody listens any more. */
    at += (size_t)written;
  }
  out_end = 0;
}

char *output_room(size_t *room) {
  if (out_end == sizeof out) output_flush();
  if (*room > sizeof out - out_end) *room = sizeof out - out_end;
  return out + out_end;
}

void output_filled(size_t length) {
  out_end += length;
}

void output_write(const void *bytes, size_t length) {
  for (const char *from = bytes; length > 0;) {
    size_t room = length;
    char *to = output_room(&room);
    memcpy(to, from, room);
    output_filled(room);
    from += room;
    length -= room;
  }
}
