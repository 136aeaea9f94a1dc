#pragma once

/* Writes the tree as records to standard output: a folder before what is in it, names in order of their bytes, so that
 * equal trees give equal bytes. Ends with RECORD_END. Sockets are left out. A folder that overlayfs marked as opaque is
 * followed by RECORD_OPAQUE where the layers below have a folder to be hidden. */
void walk(void);
