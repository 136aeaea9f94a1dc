/* How this program fails: on standard error it says errno (0 when it was refused by a rule), what it tried, and on
 * which path of the layer, each ended by a NUL, and ends. Whoever started it throws the tree away. */
#pragma once

/* A call failed: errno is told. */
_Noreturn void fail(const char *tried, const char *path);
/* What was asked for is not done, whatever the system would say. */
_Noreturn void refuse(const char *why, const char *path);
