/* The names of hard-linked files that were seen, so that the second name becomes a link to the first. */
#pragma once
#include <sys/stat.h>

/* The path under which this file was seen first, or NULL when `path` is that. */
const char *names_first(const struct stat *stat, const char *path);
