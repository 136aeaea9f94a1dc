#pragma once
/* Makes this process run from a sealed copy of its own program in memory, so that nothing which a box reaches through
 * /proc is the file on the host (CVE-2019-5736). Answers when it does already. */
void seal_self(char **argv);
