#!/bin/sh
# Deployed with contract=cgi: the request is in the environment and on standard input, the answer is what is written.
echo "asked for $PATH_INFO by $REQUEST_METHOD" >&2
printf 'Content-Type: text/plain\n\n'
echo "hello from $$ in $(pwd), uid $(id -u), query $QUERY_STRING"
[ -e seen ] && echo "somebody was here before"
touch seen
[ "${CONTENT_LENGTH:-0}" -gt 0 ] && sort
exit 0
