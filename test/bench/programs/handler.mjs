/** As little as a function can do. Every peer serves this very file. */
export default function hello() {
  return new Response("hello\n", { headers: { "content-type": "text/plain; charset=utf-8" } });
}
