/* What the courier sees of the host's files: what it is made of and what looks up names, read-only. */
#pragma once
#include <stddef.h>

/* A root with `paths` and `program` where they are on the host. */
void view_enter(char **paths, size_t count, const char *program);
