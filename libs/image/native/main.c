/* layer-tree: the only program that touches the files of layers. It is told what to do by whoever opened the store and
 * fed with what strangers wrote, so it gives up everything else first. All paths are absolute.
 *
 *   layer-tree unpack TREE [LAYER...]  records of standard input → TREE, empty, over LAYERs, topmost first
 *   layer-tree walk TREE [LAYER...]    TREE → records on standard output
 *   layer-tree merge LAYER...          the LAYERs as a box shows them → records on standard output
 *   layer-tree remove TREE             empties TREE
 *   layer-tree sync TREE               waits until the file system that TREE is on is on disk */
#include "confine.h"
#include "fail.h"
#include "remove.h"
#include "unpack.h"
#include "walk.h"
#include "world.h"

#include <string.h>
#include <unistd.h>

enum { MOST_LAYERS = 500 };

int main(int argc, char **argv) {
  confine_begin();
  if (argc < 3) refuse("layer-tree takes a verb and a folder", "");
  if (argc - 2 > MOST_LAYERS) refuse("more layers than overlayfs takes", "");
  const char *verb = argv[1];
  char **layers = argv + 3;
  size_t count = (size_t)argc - 3;
  if (!strcmp(verb, "unpack")) {
    world_enter(argv[2], layers, count, WORLD_WRITE);
    confine(CONFINE_UNPACK);
    unpack();
  } else if (!strcmp(verb, "walk")) {
    world_enter(argv[2], layers, count, WORLD_READ);
    confine(CONFINE_WALK);
    walk();
  } else if (!strcmp(verb, "merge")) {
    world_enter_merged(argv + 2, count + 1);
    confine(CONFINE_WALK);
    walk();
  } else if (!strcmp(verb, "remove")) {
    world_enter(argv[2], layers, count, WORLD_WRITE);
    confine(CONFINE_REMOVE);
    remove_contents(tree_fd, "");
  } else if (!strcmp(verb, "sync")) {
    world_enter(argv[2], layers, count, WORLD_READ);
    confine(CONFINE_SYNC);
    if (syncfs(tree_fd) < 0) fail("writing to disk", "");
  } else
    refuse("layer-tree knows no such verb", verb);
  return 0;
}
