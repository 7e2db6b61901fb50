/* SPDX-License-Identifier: MIT */
/*
 * Put before collect/tasks.c when fuzzing: before each atomic load of the probe's memory, and before each copy out of it,
 * fuzz_before_load() is called, which may change that memory as the kernel would.
 */
#ifndef RSTAT_FUZZ_LOADS_H
#define RSTAT_FUZZ_LOADS_H

#include "loader/memory.h"

extern void (*fuzz_before_load)(void);

#define __atomic_load_n(at, order) (fuzz_before_load ? fuzz_before_load() : (void)0, __atomic_load_n(at, order))
#define memcpy(to, from, size) (fuzz_before_load ? fuzz_before_load() : (void)0, (memcpy)(to, from, size))

#endif
