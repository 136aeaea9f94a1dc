import os
from http.server import BaseHTTPRequestHandler, HTTPServer

calls = 0


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        global calls
        calls += 1
        body = f"call {calls} of this process, path {self.path}, uid {os.getuid()}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
