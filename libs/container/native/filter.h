/* The system call filters, compiled once when the launcher starts. */
#pragma once
#include "request.h"

void filter_compile(void);
/* Installs the filter of a profile on this process. no_new_privs must be set. Below zero on failure. */
int filter_install(enum profile profile);
/* For a nursery: everything but io_uring. */
int filter_no_rings(void);
