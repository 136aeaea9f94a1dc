/* Cuts the power of a mounted ext4, as far as the file system can tell: what was not flushed is lost. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define EXT4_IOC_SHUTDOWN _IOR('X', 125, uint32_t)
#define EXT4_GOING_FLAGS_NOLOGFLUSH 2

int main(int argc, char **argv) {
  uint32_t how = EXT4_GOING_FLAGS_NOLOGFLUSH;
  int fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY) : -1;
  if (fd < 0 || ioctl(fd, EXT4_IOC_SHUTDOWN, &how) < 0) {
    perror(argv[1]);
    return 1;
  }
  return 0;
}
