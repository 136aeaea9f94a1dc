/* A program that tries what a box must refuse, and shows the habits that limits are for. Static, so that it runs in any
 * image; it harms nothing when a try succeeds. It prints one JSON object: what was tried → what the system answered
 * ("ok", an errno's name, a signal, or what was found).
 *
 *   probe                  all attempts
 *   probe HABIT [NUMBER]   habits.c
 */
#pragma once

void say(const char *name, const char *answer);
/* The result of a system call: below zero is a failure with errno. Closes what it opened. */
void tried(const char *name, long result);
/* The same for a call whose success would change this process for good. */
void tried_in_child(const char *name, long (*attempt)(void));

void try_namespaces(void);
void try_calls(void);
void try_every_number(void);
void try_sockets(void);
void try_files(void);
void show_self(void);

int habit(const char *name, long number);
