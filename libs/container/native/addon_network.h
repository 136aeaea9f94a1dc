/* The part of the addon that makes network namespaces: makeNamespace, wireNamespace and portBytes (src/addon.ts). */
#pragma once
#include <node_api.h>

napi_value make_namespace(napi_env env, napi_callback_info info);
napi_value wire_namespace(napi_env env, napi_callback_info info);
napi_value bytes_of_port(napi_env env, napi_callback_info info);
