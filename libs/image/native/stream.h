/* Standard input and output, buffered. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Exactly `length` bytes; input that ends before is a failure. */
void input_read(void *bytes, size_t length);
/* Up to `length` bytes that lie in a buffer until the next call; at least one. */
const char *input_some(size_t length, size_t *got);

void output_write(const void *bytes, size_t length);
/* Where up to `*room` bytes can be put, to be followed by output_filled. */
char *output_room(size_t *room);
void output_filled(size_t length);
void output_flush(void);
