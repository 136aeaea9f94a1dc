/* Starts a program without copying the page tables of who asks: Node's own spawn forks, which costs a process of 150 MB
 * eight milliseconds of its only thread, and a fault for each page that it touches afterwards. N-API, no state. */
#include <errno.h>
#include <node_api.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STREAMS = 3, MOST_ARGUMENTS = 600 };

static napi_value fail(napi_env env, int error, const char *what) {
  napi_throw_error(env, strerrorname_np(error), what);
  return NULL;
}

static char *text_of(napi_env env, napi_value value) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) return NULL;
  char *text = malloc(length + 1);
  if (text) napi_get_value_string_utf8(env, value, text, length + 1, &length);
  return text;
}

/* As a program expects to find it, whatever Node has blocked or ignores; and our ends of the streams as 0, 1 and 2. */
static int start(pid_t *pid, char **args, int theirs[STREAMS]) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  int error = 0;
  for (int stream = 0; stream < STREAMS && !error; stream++)
    error = posix_spawn_file_actions_adddup2(&actions, theirs[stream], stream);
  if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
  if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
  if (!error) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  char *environment[] = {NULL};
  if (!error) error = posix_spawn(pid, args[0], &actions, &attributes, args, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

static int open_streams(int ours[STREAMS], int theirs[STREAMS]) {
  for (int stream = 0; stream < STREAMS; stream++) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return errno;
    ours[stream] = pair[0];
    theirs[stream] = pair[1];
  }
  return 0;
}

static void close_all(const int fds[STREAMS]) {
  for (int stream = 0; stream < STREAMS; stream++)
    if (fds[stream] >= 0) close(fds[stream]);
}

/* spawn(...args: string[]) → [pid, stdin, stdout, stderr]: args[0] is the program's path. It has no environment. */
static napi_value spawn_program(napi_env env, napi_callback_info info) {
  size_t count = MOST_ARGUMENTS;
  napi_value values[MOST_ARGUMENTS];
  napi_get_cb_info(env, info, &count, values, NULL, NULL);
  if (count < 1 || count >= MOST_ARGUMENTS) return fail(env, E2BIG, "spawn takes a program and its arguments");
  char *args[MOST_ARGUMENTS] = {NULL};
  int ours[STREAMS] = {-1, -1, -1}, theirs[STREAMS] = {-1, -1, -1};
  pid_t pid = 0;
  int error = 0;
  for (size_t i = 0; i < count && !error; i++)
    if (!(args[i] = text_of(env, values[i]))) error = EINVAL;
  if (!error) error = open_streams(ours, theirs);
  if (!error) error = start(&pid, args, theirs);
  for (size_t i = 0; i < count; i++)
    free(args[i]);
  close_all(theirs);
  if (error) {
    close_all(ours);
    return fail(env, error, "spawn");
  }
  int found[] = {pid, ours[0], ours[1], ours[2]};
  napi_value result;
  napi_create_array_with_length(env, 1 + STREAMS, &result);
  for (uint32_t i = 0; i < 1 + STREAMS; i++) {
    napi_value number;
    napi_create_int32(env, found[i], &number);
    napi_set_element(env, result, i, number);
  }
  return result;
}

/* ended(pid) → what waitpid(2) gives of it, once; null while it runs */
static napi_value ended(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arg, result;
  int32_t pid = 0;
  napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
  napi_get_value_int32(env, arg, &pid);
  int status;
  pid_t found = waitpid(pid, &status, WNOHANG);
  if (found < 0) return fail(env, errno, "waitpid");
  if (found == 0)
    napi_get_null(env, &result);
  else
    napi_create_int32(env, status, &result);
  return result;
}

NAPI_MODULE_INIT() {
  napi_property_descriptor functions[] = {
      {.utf8name = "spawn", .method = spawn_program, .attributes = napi_enumerable},
      {.utf8name = "ended", .method = ended, .attributes = napi_enumerable},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof *functions, functions);
  return exports;
}
