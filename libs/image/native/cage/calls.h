/* System calls that the courier may make. */
#pragma once

void calls_confine(void);
