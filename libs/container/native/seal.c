#include "seal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

void seal_self(char **argv) {
  int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (self >= 0 && fcntl(self, F_GET_SEALS) == SEALS) {
    close(self);
    return;
  }
  struct stat stat;
  int copy = memfd_create("launcher", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (self < 0 || copy < 0 || fstat(self, &stat) < 0) goto failed;
  for (off_t at = 0; at < stat.st_size;)
    if (sendfile(copy, self, &at, (size_t)(stat.st_size - at)) <= 0) goto failed;
  if (fcntl(copy, F_ADD_SEALS, SEALS) < 0) goto failed;
  fexecve(copy, argv, environ);
failed:
  fprintf(stderr, "launcher: cannot run from a sealed copy: %m\n");
  exit(71);
}
