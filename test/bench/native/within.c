/*
 * Runs a program in cgroups and waits for all that it leaves: what puts a peer without cgroups of its own into ours.
 *   within PROCS_FILE... -- PROGRAM ARGUMENT...
 * bubblewrap ends before the processes that it has started are reaped; here they come back to us, so that their CPU is
 * counted to whoever waits for us, as it is with every other peer, and the group is empty when we end. Ends as the
 * program ended.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed(const char *what) {
  perror(what);
  return 71;
}

int main(int argc, char **argv) {
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--"); i++) {
    int fd = open(argv[i], O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1) return failed(argv[i]);
    close(fd);
  }
  if (i + 1 >= argc) {
    fprintf(stderr, "usage: within PROCS_FILE... -- PROGRAM ARGUMENT...\n");
    return 64;
  }
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return failed("subreaper");
  pid_t program = fork();
  if (program < 0) return failed("fork");
  if (program == 0) {
    execvp(argv[i + 1], argv + i + 1);
    _exit(failed(argv[i + 1]));
  }
  int status, result = 71;
  for (pid_t pid; (pid = wait(&status)) > 0;)
    if (pid == program) result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}
