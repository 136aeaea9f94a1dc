#include "addon_network.h"
#include "netns.h"
#include "wiring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* On a thread of libuv's pool: all of them ask for the kernel's lock over all interfaces, which may be taken for
 * milliseconds.
 */
struct job {
  struct wiring wiring;
  napi_deferred deferred;
  napi_async_work work;
  enum { MAKE, WIRE, COUNT } kind;
  int result, error;
  uint64_t counted[2];
  const char *step;
};

static void run(napi_env env, void *data) {
  (void)env;
  struct job *job = data;
  if (job->kind == COUNT)
    job->result = port_bytes(job->wiring.port, &job->counted[0], &job->counted[1]);
  else if (job->kind == WIRE)
    job->result = wire(&job->wiring, &job->step);
  else {
    job->step = "make network namespace";
    job->result = netns_make();
  }
  job->error = errno;
}

/* A descriptor, or [received, sent]; null when there is no such port. */
static napi_value result(napi_env env, const struct job *job) {
  napi_value value, number;
  if (job->kind != COUNT) {
    napi_create_int32(env, job->result, &value);
    return value;
  }
  if (job->result < 0) {
    napi_get_null(env, &value);
    return value;
  }
  napi_create_array_with_length(env, 2, &value);
  for (uint32_t i = 0; i < 2; i++) {
    napi_create_double(env, (double)job->counted[i], &number);
    napi_set_element(env, value, i, number);
  }
  return value;
}

static napi_value failure(napi_env env, const struct job *job) {
  char text[128];
  const char *name = strerrorname_np(job->error);
  snprintf(text, sizeof text, "%s: %s", job->step, strerror(job->error));
  napi_value code, message, error;
  napi_create_string_utf8(env, name ? name : "EUNKNOWN", NAPI_AUTO_LENGTH, &code);
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message);
  napi_create_error(env, code, message, &error);
  return error;
}

static void settle(napi_env env, napi_status status, void *data) {
  (void)status;
  struct job *job = data;
  if (job->result < 0 && job->kind != COUNT)
    napi_reject_deferred(env, job->deferred, failure(env, job));
  else
    napi_resolve_deferred(env, job->deferred, result(env, job));
  napi_delete_async_work(env, job->work);
  free(job);
}

static napi_value begin(napi_env env, const char *what, struct job *job) {
  napi_value promise, name;
  napi_create_string_utf8(env, what, NAPI_AUTO_LENGTH, &name);
  napi_create_promise(env, &job->deferred, &promise);
  napi_create_async_work(env, NULL, name, run, settle, job, &job->work);
  napi_queue_async_work(env, job->work);
  return promise;
}

static int text_of(napi_env env, napi_value value, char *into, size_t size) {
  size_t length;
  return napi_get_value_string_utf8(env, value, into, size, &length) == napi_ok && length > 0;
}

static int mac_of(const char *text, unsigned char *mac) {
  return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) == 6;
}

/* bridge, port, mac, address, gateway, mtu [, address6, gateway6] */
static int read_wiring(napi_env env, napi_callback_info info, struct wiring *w) {
  napi_value args[8];
  size_t count = 8;
  char text[4][48];
  if (napi_get_cb_info(env, info, &count, args, NULL, NULL) != napi_ok || (count != 6 && count != 8)) return 0;
  if (!text_of(env, args[0], w->bridge, sizeof w->bridge) || !text_of(env, args[1], w->port, sizeof w->port)) return 0;
  for (size_t i = 0; i < 3; i++)
    if (!text_of(env, args[2 + i], text[i], sizeof *text)) return 0;
  if (!mac_of(text[0], w->mac) || inet_pton(AF_INET, text[1], &w->address) != 1 ||
      inet_pton(AF_INET, text[2], &w->gateway) != 1 || napi_get_value_uint32(env, args[5], &w->mtu) != napi_ok)
    return 0;
  w->has_v6 = count == 8;
  if (!w->has_v6) return 1;
  return text_of(env, args[6], text[0], sizeof *text) && text_of(env, args[7], text[1], sizeof *text) &&
         inet_pton(AF_INET6, text[0], &w->address6) == 1 && inet_pton(AF_INET6, text[1], &w->gateway6) == 1;
}

napi_value make_namespace(napi_env env, napi_callback_info info) {
  (void)info;
  struct job *job = calloc(1, sizeof *job);
  if (job) return begin(env, "makeNamespace", job);
  napi_throw_error(env, "ENOMEM", "makeNamespace");
  return NULL;
}

napi_value wire_namespace(napi_env env, napi_callback_info info) {
  struct job *job = calloc(1, sizeof *job);
  if (job && read_wiring(env, info, &job->wiring)) {
    job->kind = WIRE;
    return begin(env, "wireNamespace", job);
  }
  free(job);
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE",
                        "wireNamespace(bridge, port, mac, address, gateway, mtu, [address6, gateway6])");
  return NULL;
}

napi_value bytes_of_port(napi_env env, napi_callback_info info) {
  struct job *job = calloc(1, sizeof *job);
  napi_value arg;
  size_t count = 1;
  if (job && napi_get_cb_info(env, info, &count, &arg, NULL, NULL) == napi_ok && count == 1 &&
      text_of(env, arg, job->wiring.port, sizeof job->wiring.port)) {
    job->kind = COUNT;
    return begin(env, "portBytes", job);
  }
  free(job);
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "portBytes(port)");
  return NULL;
}
