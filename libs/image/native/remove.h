#pragma once

/* Removes `name` in `folder` and all below it, through no link. `path` is for the message when it fails. */
void remove_tree(int folder, const char *name, const char *path);
/* Removes all that is in a folder. */
void remove_contents(int folder, const char *path);
/* Removes the whiteouts in a folder that nothing lies below any more: overlayfs would show them. */
void remove_whiteouts(int folder, const char *path);
