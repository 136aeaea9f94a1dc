/* What a folder gets only when all is there. What is put into it changes its time, and would inherit its default ACL.
 */
#pragma once
#include <stddef.h>
#include <time.h>

/* `path`: through no link. The last one that is given for a folder counts. */
void later_time(const char *path, struct timespec mtime);
/* The attribute system.posix_acl_default. */
void later_default_acl(const char *path, const char *value, size_t length);
void later_apply(void);
