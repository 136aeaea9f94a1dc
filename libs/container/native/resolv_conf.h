/* /etc/resolv.conf of a box that reaches the outside. */
#pragma once

/* Mounts `source` read-only there, below the box's root. An image that has no such file, or a link in its place, gets
 * an empty one in the writable layer, owned by `owner`, to be mounted on. */
void mount_resolv_conf(int root, const char *source, unsigned owner);
