/* The part of the addon that makes network namespaces: wireNamespace and portBytes (src/network/wiring.ts). */
#pragma once
#include <node_api.h>

napi_value wire_namespace(napi_env env, napi_callback_info info);
napi_value bytes_of_port(napi_env env, napi_callback_info info);
