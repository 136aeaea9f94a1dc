#pragma once

/* Carries out the records of standard input in the tree, and answers with RECORD_END. */
void unpack(void);
