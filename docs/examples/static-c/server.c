/* An HTTP server of one file and no library: it answers with the request's first line. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
  const char *port = getenv("PORT");
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port ? port : "8080"))};
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 16) < 0) {
    perror("listen");
    return 1;
  }
  for (int calls = 1;; calls++) {
    char request[8192], answer[9216];
    size_t length = 0;
    int fd = accept(listener, NULL, NULL);
    while (length < sizeof request - 1) {
      ssize_t more = read(fd, request + length, sizeof request - 1 - length);
      if (more <= 0) break;
      length += (size_t)more;
      request[length] = 0;
      if (strstr(request, "\r\n\r\n")) break;
    }
    request[strcspn(request, "\r\n")] = 0;
    printf("%s\n", request);
    fflush(stdout);
    int size = snprintf(NULL, 0, "call %d of this process: %s\n", calls, request);
    int all = snprintf(answer, sizeof answer,
                       "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                       "call %d of this process: %s\n",
                       size, calls, request);
    if (write(fd, answer, (size_t)all) < 0) perror("write");
    close(fd);
  }
}
