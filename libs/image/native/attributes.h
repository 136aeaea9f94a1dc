/* Owner, mode, extended attributes and time of what was just made. */
#pragma once
#include "record.h"

#include <sys/stat.h>
#include <time.h>

/* The attribute that a folder gets only when it is full (later.h). */
#define DEFAULT_ACL "system.posix_acl_default"

/* An open file or folder, without its default ACL. Mode comes after owner, which clears setuid; attributes after both,
 * which clear capabilities.
 */
void attributes_of_open(int fd, struct record *record);
/* Something that cannot be opened: `name` in `folder`, which is not a link unless `mode` is 0 bits: links have none. */
void attributes_of_name(int folder, const char *name, struct record *record);

struct timespec mtime_of(const struct record *record);
