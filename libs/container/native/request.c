#include "request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int number(const char *text, uint64_t max, uint64_t *out) {
  if (*text < '0' || *text > '9') return -1;
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno || *end || value > max) return -1;
  *out = value;
  return 0;
}

static int small(const char *text, unsigned max, unsigned *out) {
  uint64_t value;
  if (number(text, max, &value)) return -1;
  *out = (unsigned)value;
  return 0;
}

static int id_is_plain(const char *id) {
  size_t length = strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-");
  return length > 0 && length <= 64 && id[length] == 0;
}

/* A path that becomes part of an option string, or is resolved inside of a root: absolute, no dot-dot. */
static int path_is_plain(const char *path) {
  return path[0] == '/' && strlen(path) < 4096 && !strstr(path, "/../") && !strpbrk(path, "\n");
}

static const char *begin_mount(struct request *r, const char *kind) {
  static const char *const kinds[] = {"bind", "layers", "tmpfs", "copy"};
  if (r->mount_count == MAX_MOUNTS) return "too many mounts";
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (strcmp(kind, kinds[i])) continue;
    r->mounts[r->mount_count++] =
        (struct box_mount){.kind = (enum mount_kind)i, .first = r->mount_layer_count, .readonly = 1};
    return NULL;
  }
  return "unknown kind of mount";
}

static const char *take_mount(struct request *r, const char *key, const char *value) {
  if (!strcmp(key, "mount")) return begin_mount(r, value);
  if (r->mount_count == 0) return "a part of a mount before it";
  struct box_mount *mount = &r->mounts[r->mount_count - 1];
  const char *part = key + strlen("mount_");
  if (!strcmp(part, "source")) {
    if (!path_is_plain(value)) return "mount_source is no absolute path";
    mount->source = value;
  } else if (!strcmp(part, "target")) {
    if (!path_is_plain(value)) return "mount_target is no absolute path";
    mount->target = value;
  } else if (!strcmp(part, "upper")) {
    if (!path_is_plain(value)) return "mount_upper is no absolute path";
    mount->upper = value;
  } else if (!strcmp(part, "lower")) {
    if (r->mount_layer_count == MAX_LAYERS) return "too many layers of mounts";
    if (!path_is_plain(value)) return "mount_lower is no absolute path";
    r->mount_layers[r->mount_layer_count++] = value;
    mount->count++;
  } else if (!strcmp(part, "readonly")) {
    mount->readonly = strcmp(value, "no") != 0;
  } else if (!strcmp(part, "make")) {
    mount->make = !strcmp(value, "yes");
  } else if (!strcmp(part, "own_ids")) {
    mount->own_ids = !strcmp(value, "yes");
  } else if (!strcmp(part, "size")) {
    if (number(value, UINT64_MAX / 2, &mount->size)) return "mount_size is no number";
  } else if (!strcmp(part, "mode")) {
    if (small(value, 07777, &mount->mode)) return "mount_mode is no mode";
  } else if (!strcmp(part, "uid")) {
    if (small(value, 65535, &mount->uid)) return "mount_uid is no id of the box";
  } else if (!strcmp(part, "gid")) {
    if (small(value, 65535, &mount->gid)) return "mount_gid is no id of the box";
  } else {
    return "unknown part of a mount";
  }
  return NULL;
}

static const char *take_list(struct request *r, const char *key, char *value) {
  if (!strcmp(key, "lower")) {
    if (r->layer_count == MAX_LAYERS) return "too many layers";
    if (!path_is_plain(value)) return "lower is no absolute path";
    r->layers[r->layer_count++] = value;
  } else if (!strcmp(key, "arg")) {
    if (r->arg_count == MAX_ARGS) return "too many arguments";
    r->args[r->arg_count++] = value;
  } else if (!strcmp(key, "env")) {
    if (r->env_count == MAX_ENV) return "too many environment variables";
    if (!strchr(value, '=')) return "env without '='";
    r->env[r->env_count++] = value;
  } else if (!strcmp(key, "join")) {
    if (r->join_count == MAX_JOINS) return "too many cgroups";
    if (!path_is_plain(value)) return "join is no absolute path";
    r->joins[r->join_count++] = value;
  } else if (!strcmp(key, "group")) {
    if (r->group_count == MAX_GROUPS) return "too many groups";
    if (small(value, 65535, &r->groups[r->group_count++])) return "group is no id";
  } else if (!strcmp(key, "mount") || !strncmp(key, "mount_", 6)) {
    return take_mount(r, key, value);
  } else {
    return "unknown key";
  }
  return NULL;
}

static int unprotected(const char *value) {
  if (!strcmp(value, "seccomp")) return UNPROTECTED_SECCOMP;
  if (!strcmp(value, "masks")) return UNPROTECTED_MASKS;
  if (!strcmp(value, "capabilities")) return UNPROTECTED_CAPS;
  if (!strcmp(value, "namespace_limits")) return UNPROTECTED_NAMESPACE_LIMITS;
  return 0;
}

static const char *take(struct request *r, const char *key, char *value) {
  if (!strcmp(key, "op")) {
    if (!strcmp(value, "start"))
      r->op = OP_START;
    else if (!strcmp(value, "kill"))
      r->op = OP_KILL;
    else if (!strcmp(value, "nursery"))
      r->op = OP_NURSERY;
    else
      return "unknown op";
  } else if (!strcmp(key, "id")) {
    if (!id_is_plain(value)) return "id is not plain";
    r->id = value;
  } else if (!strcmp(key, "nursery")) {
    if (!id_is_plain(value)) return "nursery is not plain";
    r->nursery = value;
  } else if (!strcmp(key, "slot")) {
    if (small(value, MAX_SLOTS - 1, &r->slot)) return "slot is no number in range";
  } else if (!strcmp(key, "cwd")) {
    if (!path_is_plain(value)) return "cwd is no absolute path";
    r->cwd = value;
  } else if (!strcmp(key, "writable")) {
    if (!path_is_plain(value)) return "writable is no absolute path";
    r->writable = value;
  } else if (!strcmp(key, "hostname")) {
    if (strlen(value) > 64) return "hostname is too long";
    r->hostname = value;
  } else if (!strcmp(key, "uid")) {
    if (small(value, 65535, &r->uid)) return "uid is no id of the box";
  } else if (!strcmp(key, "gid")) {
    if (small(value, 65535, &r->gid)) return "gid is no id of the box";
  } else if (!strcmp(key, "tmp_bytes")) {
    if (number(value, UINT64_MAX / 2, &r->tmp_bytes)) return "tmp_bytes is no number";
  } else if (!strcmp(key, "open_files")) {
    if (small(value, 1 << 20, &r->open_files)) return "open_files is no number";
  } else if (!strcmp(key, "profile")) {
    r->profile = strcmp(value, "build") ? PROFILE_FUNCTION : PROFILE_BUILD;
  } else if (!strcmp(key, "stdin")) {
    r->has_stdin = !strcmp(value, "yes");
  } else if (!strcmp(key, "terminal")) {
    r->has_terminal = !strcmp(value, "yes");
  } else if (!strcmp(key, "resolv_conf")) {
    if (!path_is_plain(value)) return "resolv_conf is no absolute path";
    r->resolv_conf = value;
  } else if (!strcmp(key, "netns")) {
    if (strcmp(value, "given")) return "unknown network namespace";
    r->has_netns = 1;
  } else if (!strcmp(key, "idmap")) {
    r->no_idmap = !strcmp(value, "off");
  } else if (!strcmp(key, "unprotected")) {
    int what = unprotected(value);
    if (!what) return "unknown protection";
    r->unprotected |= what;
  } else {
    return take_list(r, key, value);
  }
  return NULL;
}

static const char *complete(const struct request *r) {
  if (!r->id) return "no id";
  if (r->op == OP_KILL) return NULL;
  if (!r->layer_count) return "no layer";
  if (!r->arg_count || !r->args[0][0]) return "no program";
  if (!r->cwd || !r->hostname) return "no cwd or hostname";
  if (!r->tmp_bytes || !r->open_files) return "no limits";
  for (size_t i = 0; i < r->mount_count; i++) {
    const struct box_mount *mount = &r->mounts[i];
    if (!mount->target) return "a mount without target";
    if (!mount->source && mount->kind != MOUNT_TMPFS) return "a mount without source";
    if (!mount->size && mount->kind == MOUNT_TMPFS) return "a tmpfs without size";
  }
  if (r->has_terminal && (r->has_stdin || r->nursery || r->op != OP_START)) return "a terminal beside something else";
  if (r->op == OP_NURSERY && r->nursery) return "a nursery in a nursery";
  return NULL;
}

const char *request_parse(char *bytes, size_t length, struct request *request) {
  memset(request, 0, sizeof *request);
  if (length == 0 || bytes[length - 1] != 0) return "does not end in NUL";
  char *end = bytes + length;
  for (char *at = bytes; at < end;) {
    char *key = at;
    char *value = key + strlen(key) + 1;
    if (value >= end) return "a key without value";
    at = value + strlen(value) + 1;
    const char *wrong = take(request, key, value);
    if (wrong) return wrong;
  }
  return complete(request);
}
