/* A box whose program's standard streams are a terminal of the box's own. PID 1 holds its master end and copies between
 * it and a stream socket of the worker: from the box, bytes as they come; to it, messages of a kind (one byte), a
 * length (two, little endian, at most TERMINAL_PART) and as many bytes. */
#pragma once
#include "request.h"

#include <sys/types.h>

enum { TERMINAL_PART = 4096 };
enum { TERMINAL_INPUT, TERMINAL_SIZE /* rows and columns, two bytes each, little endian */ };

struct terminal {
  int master, slave, socket;
};

/* Inside of the box's root, where /dev/pts is mounted. The slave is the program's already. */
struct terminal terminal_open(const struct request *request, unsigned base);

/* Copies until the main process has ended and what it wrote is on its way. Reaps whatever is orphaned. Answers the main
 * process's status. */
int terminal_serve(const struct terminal *terminal, pid_t main);
