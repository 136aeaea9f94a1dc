/* A request of the worker, parsed to data before anything is done. Format: key NUL value NUL, repeated; no escapes, no
 * nesting. All strings point into the caller's buffer. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum {
  REQUEST_MAX_BYTES = 192 * 1024,
  MAX_LAYERS = 256,
  MAX_MOUNTS = 32,
  MAX_ARGS = 256,
  MAX_ENV = 1024,
  MAX_GROUPS = 32,
  MAX_JOINS = 8,
  MAX_FDS = 3,
  MAX_SLOTS = 1024,
};

/* OP_NURSERY starts a program that boxes' main processes are forked from (nursery.c); it is then addressed like a box.
 */
enum request_op { OP_START, OP_KILL, OP_NURSERY };
enum profile { PROFILE_FUNCTION, PROFILE_BUILD };

/* Protections a test may switch off to see that its probe notices (launcher started with --allow-unprotected only). */
enum { UNPROTECTED_SECCOMP = 1, UNPROTECTED_MASKS = 2, UNPROTECTED_CAPS = 4, UNPROTECTED_NAMESPACE_LIMITS = 8 };

/* Something besides the root file system (mounts.c). MOUNT_COPY is a file whose bytes are copied into memory. */
enum mount_kind { MOUNT_BIND, MOUNT_LAYERS, MOUNT_TMPFS, MOUNT_COPY };
struct box_mount {
  enum mount_kind kind;
  const char *source; /* on the host; of MOUNT_LAYERS a place in them */
  const char *target;
  const char *upper;   /* MOUNT_LAYERS: a folder of the host that keeps what is written; NULL: read-only */
  size_t first, count; /* MOUNT_LAYERS: in mount_layers, topmost first */
  int readonly;
  int make;    /* the target is made where it is missing */
  int own_ids; /* MOUNT_BIND: owners on the host are numbers of the box */
  uint64_t size;
  unsigned mode, uid, gid;
};

struct request {
  enum request_op op;
  const char *id;
  const char *nursery; /* for OP_START: whose fork the main process is to be; NULL: it is exec'd */
  unsigned slot;
  const char *layers[MAX_LAYERS];
  size_t layer_count;
  struct box_mount mounts[MAX_MOUNTS];
  size_t mount_count;
  const char *mount_layers[MAX_LAYERS];
  size_t mount_layer_count;
  char *args[MAX_ARGS + 1];
  size_t arg_count;
  char *env[MAX_ENV + 1];
  size_t env_count;
  const char *joins[MAX_JOINS];
  size_t join_count;
  const char *cwd;
  const char *hostname;
  const char *writable; /* a folder that keeps what the box writes; NULL: memory of its own, gone with it */
  unsigned uid, gid;
  unsigned groups[MAX_GROUPS];
  size_t group_count;
  uint64_t tmp_bytes;
  unsigned open_files;
  enum profile profile;
  int no_idmap;
  int unprotected;
  int has_stdin;    /* the last of fds is standard input; else there is none */
  int has_terminal; /* the last of fds is a socket for what goes through its terminal */
  int fds[MAX_FDS]; /* stdout, stderr, then a channel, standard input or a terminal */
  size_t fd_count;
  const char *resolv_conf; /* NULL: what the image has */
  int has_netns;           /* the worker made the network namespace; its descriptor came last */
  int netns;
};

/* Reads `length` bytes that end in NUL. Answers NULL, or what is wrong as a constant string. */
const char *request_parse(char *bytes, size_t length, struct request *request);
